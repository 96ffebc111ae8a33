"""The projector of one projection: reads the index from its checkpoints on, folds a batch, writes rows and checkpoints at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from threading import Event
from typing import Self
from uuid import UUID

import psycopg2
from eventsourcing.persistence import IntegrityError, Tracking

from consumers.projecting.events import Range, last_times, read_entries, select_key, select_ranges, summarize
from consumers.projecting.folding import NOT_THE_EVENTS, Folding
from consumers.projecting.parking import parked_keys, unpark
from consumers.projecting.redaction import owners_to_redact, redact
from consumers.projecting.schema import FOLDED, create_read_models, shape, tables_stand
from infra.eventstore.tables import CheckpointRecorder
from infra.keys.keyring import Keyring
from infra.log.contract import Log, LogUnreachable, Topic
from infra.log.partition import partition_of
from infra.postgres.connection import Connection, Cursor, Pool, connect
from infra.postgres.leases import take_lease
from projections.batch import Projection

logger = logging.getLogger(__name__)

BATCH_OFFSETS = 4_000
"""Offsets a batch spans at most, over all partitions."""
RETRY_SECONDS = 0.5
LEASE_SECONDS = 1.0
SUMMARIZE_EVERY = 8
"""Full batches."""

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
        self._full_batches = 0
        self._told = False

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
            moves = self._moves(self._ends(cursor) if until is None else until)
            if not moves:
                return 0
            self._require_ours(cursor, moves)
            rows = select_ranges(cursor, self.index, self._ranges(moves))
            Folding(cursor, self.projection, self.schema).fold(read_entries(rows, self.projection, self.keyring))
            self.checkpoints.advance(cursor, [(Tracking(name, end), self._at[name]) for name, end in moves.items()])
            self._note_times(cursor, last_times(rows))
        passed = sum(end - self._at[name] for name, end in moves.items())
        self._at.update(moves)
        if passed == BATCH_OFFSETS:
            self._catching_up(connection)
        return passed

    def retry(self, key: UUID) -> bool:
        """Fold what was set aside for one parked key; whether it is no longer parked. A projector may be running meanwhile."""
        with self.pool.transaction() as cursor:
            at = self._checkpoints(
                cursor, hold=True
            )  # the projector's next transaction waits for ours, so that nothing is folded beside it
            parked = parked_keys(cursor, self.schema, self.projection.name, [key])
            unpark(cursor, self.schema, self.projection.name, key)
            for (name, _), start in sorted(parked.items()):
                rows = select_key(cursor, self.index, key, name, start, at.get(name, 0))
                Folding(cursor, self.projection, self.schema).fold(read_entries(rows, self.projection, self.keyring))
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
                self._take_leases(cursor)
            self._redact(self._connection)
        return self._connection

    def _take_leases(self, cursor: Cursor) -> None:
        before = set(self._at)
        at = self._checkpoints(cursor)
        if not at and not self._told:
            logger.error("another version of Annals has made %s anew: this process no longer folds it; restart it", self.projection.name)
        self._told = not at
        for name, offset in at.items():
            # One of ours only moves behind our back when the read model is built anew: it is believed, or a silent log
            # would never tell us.
            if name in before or ((self.wanted is None or name in self.wanted) and self._lease(cursor, name)):
                self._at[name] = offset
        if not before and self._at:
            self.keyring.forget()  # whoever led before us may have redacted somebody whose secret we still hold

    def _lease(self, cursor: Cursor, partition: str) -> bool:
        return not self.lease or take_lease(cursor, f"read:{self.projection.name}:{partition}")

    def _checkpoints(self, cursor: Cursor, names: Iterable[str] | None = None, *, hold: bool = False) -> dict[str, int]:
        """Next offset by partition (of these, or of all); none if the tables are those of other software.

        `hold`: nobody else moves them before the transaction ends.
        """
        cursor.execute(
            f"""SELECT c.partition, c.next_offset FROM "{self.schema}".checkpoint c
                JOIN "{self.schema}".projection p ON p.name = c.projection AND p.shape = %s
                WHERE c.projection = %s AND (%s OR c.partition = ANY(%s))
                ORDER BY c.partition {"FOR UPDATE OF c" if hold else ""}""",
            (shape(self.projection), self.projection.name, names is None, list(names or ())),
        )
        return dict(cursor.fetchall())

    def _require_ours(self, cursor: Cursor, moves: Iterable[str]) -> None:
        """Hold the checkpoints before anything is read, so that a retry or a rebuild comes wholly before us or wholly after.

        Raises IntegrityError if one stands elsewhere than we left it.
        """
        expected = {name: self._at[name] for name in moves}
        if self._checkpoints(cursor, expected, hold=True) != expected:
            raise IntegrityError(f"{self.projection.name}: the checkpoint was moved by somebody else")

    def _note_times(self, cursor: Cursor, times: Mapping[str, datetime]) -> None:
        cursor.execute(
            f"""UPDATE "{self.schema}".checkpoint c SET log_time = v.log_time FROM unnest(%s::text[], %s::timestamptz[]) v(name, log_time)
                WHERE c.projection = %s AND c.partition = v.name""",
            (list(times), list(times.values()), self.projection.name),
        )

    def _ends(self, cursor: Cursor) -> Ends:
        cursor.execute(f"""SELECT topic || partition, next_offset FROM "{self.index}".checkpoint WHERE topic IN ('d', 'f')""")
        return dict(cursor.fetchall())

    def _moves(self, ends: Ends) -> dict[str, int]:
        """How far each partition goes in this batch: evenly, for what was indexed together is read together."""
        behind = {name: ends[name] - at for name, at in sorted(self._at.items()) if ends.get(name, 0) > at}
        moves, left = {}, BATCH_OFFSETS
        for number, (name, offsets) in enumerate(sorted(behind.items(), key=lambda item: item[1])):
            taken = min(offsets, left // (len(behind) - number))
            moves[name] = self._at[name] + taken
            left -= taken
        return moves

    def _ranges(self, moves: Mapping[str, int]) -> list[Range]:
        return [(name, self._at[name], end) for name, end in moves.items() if name[0] in self.projection.topics]

    def _catching_up(self, connection: Connection) -> None:
        """Full batches follow each other: what was indexed a moment ago must be found without reading all of it."""
        self._full_batches += 1
        if self._full_batches % SUMMARIZE_EVERY == 1:
            with suppress(psycopg2.errors.LockNotAvailable), connection, connection.cursor() as cursor:
                summarize(cursor, self.index)

    def _redact(self, connection: Connection) -> None:
        with connection, connection.cursor() as cursor:
            owners = owners_to_redact(cursor, self.projection, self.schema, self.index)
        for owner in owners:
            names = [f"{topic.letter}{self._partition_of(owner, topic)}" for topic in FOLDED if topic.letter in self.projection.topics]
            if all(name in self._at for name in names):
                with connection, connection.cursor() as cursor:
                    at = self._checkpoints(cursor, names, hold=True)
                    redact(cursor, self.projection, self.keyring, owner, at, self.schema, self.index)

    def _partition_of(self, key: UUID, topic: Topic) -> int:
        return partition_of(str(key).encode(), self.log.partitions(topic))
