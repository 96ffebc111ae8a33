"""The library's other two recorders, on PostgreSQL: snapshots, and the checkpoints of projections."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from threading import Event
from time import monotonic
from typing import Any

import psycopg2
from eventsourcing.persistence import AggregateRecorder, IntegrityError, StoredEvent, Tracking, TrackingRecorder, WaitInterruptedError
from psycopg2.extras import execute_values

from infra.eventstore.numbered import split
from infra.eventstore.reading import reading
from infra.keys.records import ERASURE_LOCK
from infra.postgres.connection import Cursor, Pool


class SnapshotRecorder(AggregateRecorder):
    """Snapshots by (key, stream, version), in the clear; none is kept of somebody who was erased.

    `topics`: only these are shown; others are of an older fold (None: all).
    """

    def __init__(self, pool: Pool, topics: Sequence[str] | None = None) -> None:
        self.pool, self.topics = pool, topics

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """All or none. Raises IntegrityError if one was there."""
        rows = [(*split(event.originator_id), event.originator_version, event.topic, event.state) for event in stored_events]  # type: ignore[arg-type]
        if rows:
            try:
                with self.pool.transaction() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (ERASURE_LOCK,))  # an erasure now waits, and deletes ours
                    execute_values(
                        cursor,
                        """INSERT INTO index.snapshot (key, stream, version, topic, state) SELECT * FROM (VALUES %s) v(key, stream, version)
                           WHERE NOT EXISTS (SELECT FROM index.erased_owner e WHERE e.owner IN (v.key, v.stream))""",
                        rows,
                        template="(%s::uuid, %s::uuid, %s, %s, %s)",
                    )
            except psycopg2.IntegrityError as error:
                raise IntegrityError(str(error)) from error
        return None

    def select_events(
        self, originator_id: Any, *, gt: int | None = None, lte: int | None = None, desc: bool = False, limit: int | None = None
    ) -> Sequence[StoredEvent]:
        """Snapshots of one stream; the library asks for the last one."""
        with reading(self.pool) as cursor:
            cursor.execute(
                f"""SELECT version, topic, state FROM index.snapshot
                    WHERE key = %s AND stream = %s AND version > %s AND version <= %s AND (%s OR topic = ANY(%s))
                    ORDER BY version {"DESC" if desc else "ASC"} LIMIT %s""",
                (
                    *split(originator_id),
                    -1 if gt is None else gt,
                    2**31 - 1 if lte is None else lte,
                    self.topics is None,
                    list(self.topics or ()),
                    limit,
                ),
            )
            rows = cursor.fetchall()
        return [StoredEvent(originator_id, version, topic, bytes(state)) for version, topic, state in rows]


class CheckpointRecorder(TrackingRecorder):
    """How far one projection has folded each partition, as the library tracks it: the application's name is the partition
    (`d3`), the notification's id is the next offset. Rows and checkpoint move in the caller's transaction."""

    def __init__(self, pool: Pool, projection: str, schema: str = "read") -> None:
        self.pool, self.projection, self.table = pool, projection, f'"{schema}".checkpoint'
        self._moved = threading.Condition()

    def insert_tracking(self, tracking: Tracking) -> None:
        """In a transaction of its own. Raises IntegrityError if the checkpoint is there already or beyond."""
        with self.pool.transaction() as cursor:
            cursor.execute(
                f"""INSERT INTO {self.table} AS c (projection, partition, next_offset) VALUES (%s, %s, %s)
                   ON CONFLICT (projection, partition) DO UPDATE SET next_offset = excluded.next_offset
                   WHERE c.next_offset < excluded.next_offset RETURNING 1""",
                (self.projection, tracking.application_name, tracking.notification_id),
            )
            if cursor.fetchone() is None:
                raise IntegrityError("the checkpoint stands there already or beyond")
        self.has_moved()

    def advance(self, cursor: Cursor, moves: Sequence[tuple[Tracking, int]]) -> None:
        """Move checkpoints within the caller's transaction, each from the offset given beside it. Raises IntegrityError if one
        stands elsewhere: somebody else folds (or a rebuild began), and we give way."""
        moved = execute_values(
            cursor,
            f"""UPDATE {self.table} c SET next_offset = v.next
               FROM (VALUES %s) v(projection, partition, next, expected)
               WHERE c.projection = v.projection AND c.partition = v.partition AND c.next_offset = v.expected RETURNING 1""",
            [(self.projection, move.application_name, move.notification_id, expected) for move, expected in moves],
            template="(%s, %s, %s::bigint, %s::bigint)",
            fetch=True,
        )
        if len(moved) != len(moves):
            raise IntegrityError(f"{self.projection}: the checkpoint was moved by somebody else")

    def max_tracking_id(self, application_name: str) -> int | None:
        """The next offset of one partition; None if nothing was folded yet."""
        with self.pool.transaction() as cursor:
            cursor.execute(
                f"SELECT next_offset FROM {self.table} WHERE projection = %s AND partition = %s", (self.projection, application_name)
            )
            row = cursor.fetchone()
        return None if row is None else row[0]

    def has_moved(self) -> None:
        """Wake those who wait."""
        with self._moved:
            self._moved.notify_all()

    def wait(self, application_name: str, notification_id: int | None, timeout: float = 1.0, interrupt: Event | None = None) -> None:
        """As the library's, but woken at once where the checkpoint moves in this process. Raises TimeoutError, WaitInterruptedError."""
        end = monotonic() + timeout
        while not self.has_tracking_id(application_name, notification_id):
            if interrupt is not None and interrupt.is_set():
                raise WaitInterruptedError
            if monotonic() > end:
                raise TimeoutError(f"{self.projection} has not folded {application_name} up to {notification_id} in time")
            with self._moved:
                self._moved.wait(min(0.05, max(0.0, end - monotonic())))
