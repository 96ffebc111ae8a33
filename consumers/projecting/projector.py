"""The projector of one projection: reads the index from its checkpoints on, folds a batch, writes rows and checkpoints at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from threading import Event
from typing import Any, Self
from uuid import UUID

import psycopg2
from eventsourcing.persistence import IntegrityError, Tracking

from consumers.projecting.events import Entry, read_entries, readable, select_key, select_range
from consumers.projecting.parking import all_parked, park, parked_keys, unpark, unreadable_keys
from consumers.projecting.schema import create_read_models, tables_stand
from infra.eventstore.tables import CheckpointRecorder
from infra.keys.keyring import Keyring
from infra.log.contract import Log, LogUnreachable
from infra.postgres.connection import Connection, Cursor, Pool, connect
from infra.postgres.leases import take_lease
from projections.batch import Batch, Projection, Recorded
from projections.tables import Tables

logger = logging.getLogger(__name__)

BATCH_OFFSETS = 4_000
"""Offsets a batch spans at most, over all partitions."""
RETRY_SECONDS = 0.5
LEASE_SECONDS = 1.0
NOT_THE_EVENTS = (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.errors.UndefinedTable)
"""No event is at fault, so nothing is parked: the database is away, or somebody has dropped the tables."""

Ends = Mapping[str, int]
"""Next offset by partition (`d3`)."""


class Projector:
    """Folds the partitions that it holds the lease of. `index` and `schema` name scratch schemas when the tables are verified."""

    def __init__(
        self,
        pool: Pool,
        log: Log,
        keyring: Keyring,
        projection: Projection,
        *,
        partitions: Iterable[str] | None = None,
        schema: str = "read",
        index: str = "index",
        lease: bool = True,
    ) -> None:
        self.pool, self.log, self.keyring, self.projection = pool, log, keyring, projection
        self.schema, self.index, self.lease = schema, index, lease
        self.wanted = None if partitions is None else set(partitions)
        self.checkpoints = CheckpointRecorder(pool, projection.name, schema)
        self.moved = Event()
        self._connection: Connection | None = None
        self._at: dict[str, int] = {}
        self._checked_leases = 0.0

    def run(self, stop: Event) -> None:
        """Fold until told to stop; woken by `moved`."""
        while not stop.is_set():
            try:
                self.moved.clear()
                if not self.step():
                    self.moved.wait(LEASE_SECONDS)
            except IntegrityError as why:
                logger.info("%s", why)
                self.close()
            except (*NOT_THE_EVENTS, LogUnreachable) as why:
                logger.warning("projector of %s waits: %s", self.projection.name, type(why).__name__)
                self.close()
                stop.wait(RETRY_SECONDS)
        self.close()

    def step(self, until: Ends | None = None) -> int:
        """Fold one batch (at most up to `until`); how many offsets it passed. Raises IntegrityError if somebody else folds."""
        connection = self._lead()
        with connection, connection.cursor() as cursor:
            moves, rows = self._next(cursor, self._ends(cursor) if until is None else until)
            if not moves:
                return 0
            self._fold(cursor, read_entries(rows, self.projection, self.keyring))
            self.checkpoints.advance(cursor, [(Tracking(name, end), self._at[name]) for name, end in moves.items()])
        passed = sum(end - self._at[name] for name, end in moves.items())
        self._at.update(moves)
        return passed

    def retry(self, key: UUID) -> bool:
        """Fold what was set aside for one parked key; whether it is no longer parked."""
        connection = self._lead()
        with connection, connection.cursor() as cursor:
            # The projector's own transaction waits here, so that nothing is folded beside us.
            cursor.execute(f'SELECT FROM "{self.schema}".checkpoint WHERE projection = %s FOR UPDATE', (self.projection.name,))
            parked = next(
                (one for one in all_parked(cursor, self.schema) if (one.projection, one.key) == (self.projection.name, key)), None
            )
            if parked is None:
                return True
            cursor.execute(
                f'SELECT next_offset FROM "{self.schema}".checkpoint WHERE projection = %s AND partition = %s',
                (self.projection.name, parked.partition),
            )
            (end,) = cursor.fetchone() or (0,)
            rows = [row for row in select_key(cursor, self.index, key, parked.log_offset, parked.place) if row[5] < end]
            unpark(cursor, self.schema, self.projection.name, key)
            self._fold(cursor, read_entries(rows, self.projection, self.keyring))
            return not parked_keys(cursor, self.schema, self.projection.name, [key])

    def close(self) -> None:
        """Let go of connection and leases."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._at, self._checked_leases = None, {}, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _lead(self) -> Connection:
        """Once a second: make anew what was dropped, take the leases that are free, and go on where the checkpoints stand."""
        if self._connection is None or self._connection.closed:
            self._connection, self._at = connect(self.pool.dsn, autocommit=False), {}
            self._checked_leases = 0.0
        if time.monotonic() - self._checked_leases > LEASE_SECONDS:
            self._checked_leases = time.monotonic()
            with self._connection, self._connection.cursor() as cursor:
                if not tables_stand(cursor, self.projection, self.schema):
                    create_read_models(cursor, self.log, [self.projection], self.schema)
                cursor.execute(
                    f'SELECT partition, next_offset FROM "{self.schema}".checkpoint WHERE projection = %s', (self.projection.name,)
                )
                for name, offset in cursor.fetchall():
                    # One of ours only moves behind our back when the read model is built anew: it is believed, or a silent log
                    # would never tell us.
                    if name in self._at or ((self.wanted is None or name in self.wanted) and self._lease(cursor, name)):
                        self._at[name] = offset
        return self._connection

    def _lease(self, cursor: Cursor, partition: str) -> bool:
        return not self.lease or take_lease(cursor, f"read:{self.projection.name}:{partition}")

    def _ends(self, cursor: Cursor) -> Ends:
        cursor.execute(f"""SELECT topic || partition, next_offset FROM "{self.index}".checkpoint WHERE topic IN ('d', 'f')""")
        return dict(cursor.fetchall())

    def _next(self, cursor: Cursor, ends: Ends) -> tuple[dict[str, int], list[Any]]:
        """How far each partition goes in this batch, and the rows up to there."""
        moves: dict[str, int] = {}
        rows: list[Any] = []
        left = BATCH_OFFSETS
        for name in sorted(self._at):
            first, end = self._at[name], min(ends.get(name, 0), self._at[name] + left)
            if end > first:
                rows += select_range(cursor, self.index, name[0], int(name[1:]), first, end)
                moves[name] = end
                left -= end - first
            if left <= 0:
                break
        return moves, rows

    def _fold(self, cursor: Cursor, entries: Sequence[Entry]) -> None:
        """Fold what is not parked; park what cannot be read or folded."""
        keys = {entry.key for entry in entries}
        aside = parked_keys(cursor, self.schema, self.projection.name, list(keys)) if keys else set()
        for key, entry in unreadable_keys(entries).items():
            if key not in aside:
                self._park(cursor, entry, entry.reason)
        entries = _before_the_unreadable(entries, aside)
        events = readable(entries)
        if events and not self._folds(cursor, events):
            self._fold_by_key(cursor, events)

    def _fold_by_key(self, cursor: Cursor, events: Sequence[Recorded]) -> None:
        """Something in this batch cannot be folded: find the key, and set it aside from that event on."""
        by_key: dict[UUID, list[Recorded]] = {}
        for recorded in events:
            by_key.setdefault(recorded.key, []).append(recorded)
        for following in by_key.values():
            if self._folds(cursor, following):
                continue
            for recorded in following:
                if not self._folds(cursor, [recorded]):
                    self._park(cursor, recorded, self._why)
                    break

    def _folds(self, cursor: Cursor, events: Sequence[Recorded]) -> bool:
        """Fold these within a savepoint; False, and nothing changed, if that fails."""
        cursor.execute("SAVEPOINT fold")
        try:
            self.projection.fold(Batch(events), Tables(cursor, self.schema, self.projection.tables))
        except NOT_THE_EVENTS:
            raise
        except Exception as why:  # noqa: BLE001 - whatever a fold raises concerns one key, and must not stop the others
            self._why = f"{type(why).__name__}: {why}"
            cursor.execute("ROLLBACK TO SAVEPOINT fold")
            return False
        cursor.execute("RELEASE SAVEPOINT fold")
        return True

    _why = ""

    def _park(self, cursor: Cursor, entry: Entry, reason: str) -> None:
        logger.error("%s parked a key at %s%s:%s (%s)", self.projection.name, entry.topic, entry.partition, entry.log_offset, entry.type)
        park(cursor, self.schema, self.projection.name, entry, reason)


def _before_the_unreadable(entries: Sequence[Entry], aside: set[UUID]) -> list[Entry]:
    """Without what is parked: keys set aside before, and what follows an unreadable event of its key."""
    parked, kept = set(aside), []
    for entry in entries:
        if not isinstance(entry, Recorded):
            parked.add(entry.key)
        if entry.key not in parked:
            kept.append(entry)
    return kept
