"""The library's recorder over the log: inserting appends one commit and waits for the arbiter, selecting reads the index."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    ListenNotifySubscription,
    Notification,
    NotSupportedError,
    StoredEvent,
    Subscription,
)

from infra.codec.times import write_time
from infra.eventstore.commit import CommitContext, write_commit
from infra.eventstore.numbered import split
from infra.eventstore.reading import reading
from infra.log.contract import Log, LogUnreachable, Outgoing, Position, Topic
from infra.postgres.connection import Pool
from infra.progress import Progress, deadline

WAIT_SECONDS = 5.0
PLACES = 1 << 20
"""A notification's id is offset * PLACES + place + 1: increasing, never 0, with gaps."""


class OutcomeOpen(Exception):
    """The wait timed out: the commit may have been accepted, may be refused, or may still land. Not an error of the caller's."""

    def __init__(self, position: Position | None) -> None:
        super().__init__("the outcome is open")
        self.position = position


class LogRecorder(ApplicationRecorder):
    """Appends to one topic of the log and reads it from the index. Bound to one partition it is a whole application sequence of the
    library's."""

    def __init__(self, topic: Topic, log: Log, pool: Pool, progress: Progress, *, partition: int | None = None) -> None:
        self.topic, self.log, self.pool, self.progress, self.partition = topic, log, pool, progress, partition

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append one commit and wait until the index has passed it; the ids of its events.

        Keyword `commit`: its CommitContext. Raises IntegrityError (another commit was first, perhaps an earlier attempt of the
        same one), OutcomeOpen, LogUnreachable, RecordTooLarge.
        """
        if not stored_events:
            return None
        left = deadline(WAIT_SECONDS)
        context = kwargs.get("commit") or CommitContext("system:library", datetime.now(UTC))
        position = self._append(write_commit(stored_events, context), left())
        if not self.progress.wait_for([position], left()):
            raise OutcomeOpen(position)
        if not self._accepted(stored_events[0], position):
            raise IntegrityError("another commit was first")
        return [position.offset * PLACES + place + 1 for place in range(len(stored_events))]

    def _append(self, record: Outgoing, timeout: float) -> Position:
        (future,) = self.log.append(self.topic, [record])
        try:
            return future.result(timeout)
        except (FutureTimeoutError, LogUnreachable) as error:
            raise OutcomeOpen(None) from error

    def _accepted(self, event: StoredEvent, position: Position) -> bool:
        """Whether the commit that begins with this event is the one that stands at this position."""
        with reading(self.pool) as cursor:
            cursor.execute(
                """SELECT 1 FROM index.event WHERE key = %s AND stream = %s AND version = %s AND topic = %s
                   AND partition = %s AND log_offset = %s""",
                (*split(event.originator_id), event.originator_version, self.topic.letter, position.partition, position.offset),  # type: ignore[arg-type]
            )
            return cursor.fetchone() is not None

    def select_events(
        self, originator_id: Any, *, gt: int | None = None, lte: int | None = None, desc: bool = False, limit: int | None = None
    ) -> Sequence[StoredEvent]:
        """The stream's events, as the index holds them."""
        key, stream = split(originator_id)
        with reading(self.pool) as cursor:
            cursor.execute(
                f"""SELECT version, type, schema, occurred_at, data FROM index.event
                    WHERE key = %s AND stream = %s AND topic = %s AND version > %s AND version <= %s
                    ORDER BY version {"DESC" if desc else "ASC"} LIMIT %s""",
                (key, stream, self.topic.letter, -1 if gt is None else gt, 2**31 - 1 if lte is None else lte, limit),
            )
            rows = cursor.fetchall()
        return [
            StoredEvent(originator_id, version, name or "", _state(schema, occurred_at, data))
            for version, name, schema, occurred_at, data in rows
        ]

    def max_notification_id(self) -> int | None:
        """Of this partition. Raises NotSupportedError if not bound to one."""
        partition = self._bound()
        with self.pool.transaction() as cursor:
            cursor.execute(
                "SELECT log_offset, place FROM index.event WHERE topic = %s AND partition = %s"
                " ORDER BY log_offset DESC, place DESC LIMIT 1",
                (self.topic.letter, partition),
            )
            row = cursor.fetchone()
        return None if row is None else row[0] * PLACES + row[1] + 1

    def select_notifications(
        self, start: int | None, limit: int, stop: int | None = None, topics: Sequence[str] = (), *, inclusive_of_start: bool = True
    ) -> Sequence[Notification]:
        """Of this partition, in order. Raises NotSupportedError if not bound to one."""
        partition = self._bound()
        first = 1 if start is None else start if inclusive_of_start else start + 1
        with self.pool.transaction() as cursor:
            cursor.execute(
                f"""SELECT log_offset * {PLACES} + place + 1 AS id, key, stream, version, type, schema, occurred_at, data FROM index.event
                    WHERE topic = %s AND partition = %s AND log_offset >= %s AND log_offset * {PLACES} + place + 1 >= %s
                      AND log_offset * {PLACES} + place + 1 <= %s AND (%s OR type = ANY(%s))
                    ORDER BY log_offset, place LIMIT %s""",
                (
                    *(self.topic.letter, partition, (first - 1) // PLACES, first),
                    *(2**62 if stop is None else stop, not topics, list(topics), limit),
                ),
            )
            rows = cursor.fetchall()
        return [
            Notification(_originator(key, stream), version, name or "", _state(schema, occurred_at, data), number)
            for number, key, stream, version, name, schema, occurred_at, data in rows
        ]

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Follows this partition; wakes when the index moves."""
        self._bound()
        return IndexSubscription(self, gt, topics)

    def _bound(self) -> int:
        if self.partition is None:
            raise NotSupportedError("A partitioned log has no single sequence: bind the recorder to one partition.")
        return self.partition


class IndexSubscription(ListenNotifySubscription[Any]):
    """The library's subscription, woken by our own progress."""

    def __init__(self, recorder: LogRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        self._unsubscribe = recorder.progress.on_moved(self._has_been_notified.set)
        self._has_been_notified.set()  # for what moved before we were heard

    def stop(self) -> None:
        self._unsubscribe()
        super().stop()


def _originator(key: UUID, stream: UUID) -> Any:
    """A bare UUID where key = stream, as the library's suites know it."""
    return key if key == stream else (key, stream)


def _state(schema: int | None, occurred_at: datetime | None, data: str) -> bytes:
    head = {"schema": schema, "occurred_at": None if occurred_at is None else write_time(occurred_at)}
    return orjson.dumps(head)[:-1] + b',"data":' + data.encode() + b"}"
