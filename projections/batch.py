"""What a projection gets: accepted events in the order of their partition, already read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from projections.tables import Table, Tables


@dataclass(frozen=True, slots=True)
class Recorded:
    """One accepted event with everything that the log says of it."""

    key: UUID
    stream: UUID
    version: int
    topic: str
    """d or f"""
    partition: int
    log_offset: int
    place: int
    type: str
    event: Any
    erased: frozenset[str]
    """Names of personal fields whose owner was erased; they read as their default."""
    occurred_at: datetime
    said_at: datetime | None
    recorded_at: datetime | None
    log_time: datetime
    actor: str | None

    @property
    def order(self) -> tuple[datetime, str, int, int, int]:
        """The order of a timeline: the same whatever order partitions were read in."""
        return (self.occurred_at, self.topic, self.partition, self.log_offset, self.place)


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one or several partitions; within a partition, and so within a key and a stream, in order."""

    events: Sequence[Recorded]

    def __iter__(self) -> Iterator[Recorded]:
        return iter(self.events)

    def of(self, *classes: type) -> Iterator[Recorded]:
        """The events of these classes."""
        return (recorded for recorded in self.events if isinstance(recorded.event, classes))

    @property
    def keys_touched(self) -> set[UUID]:
        """The keys touched."""
        return {recorded.key for recorded in self.events}


Fold = Callable[[Batch, "Tables"], None]


@dataclass(frozen=True)
class Projection:
    """One read model. `version` goes up when the fold changes: then the tables are made anew from the index."""

    name: str
    version: int
    tables: tuple[Table, ...]
    minds: tuple[str, ...]
    """Prefixes of the event types that it folds. A type under them that this software cannot read parks the key."""
    fold: Fold

    def reads(self, type_name: str | None) -> bool:
        """Whether an event of this type is its business."""
        return "" in self.minds or (type_name is not None and type_name.startswith(self.minds))


def by_stream(events: Iterable[Recorded]) -> dict[tuple[UUID, UUID], list[Recorded]]:
    """The events of each (key, stream), in order."""
    streams: dict[tuple[UUID, UUID], list[Recorded]] = {}
    for recorded in events:
        streams.setdefault((recorded.key, recorded.stream), []).append(recorded)
    return streams
