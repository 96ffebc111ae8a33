"""What a projection gets: accepted events in the order of their partition, already read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.ids import POINTERS

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
    topics: str = "df"
    """Letters of the topics that its events come from. What stands in the other one under such a name is not its business."""
    redacts: tuple[tuple[Table, str], ...] = ()
    """Tables into which personal fields go, each with the column that holds their owner. When somebody is erased, these rows are
    deleted and folded anew from what can still be read."""

    def reads(self, topic: str, type_name: str | None) -> bool:
        """Whether an event of this type in this topic is its business."""
        return topic in self.topics and ("" in self.minds or (type_name is not None and type_name.startswith(self.minds)))


def is_customers(recorded: Recorded) -> bool:
    """Whether this stands in a customer's own stream: it has its id, and so has its key. Under another key the same id would be
    written from two partitions, and the order of partitions would decide."""
    return recorded.key == recorded.stream != POINTERS
