"""The indexer: follows partitions of one topic and writes, per batch and in one transaction, checkpoint, rows and digest."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from threading import Event
from typing import Self

import psycopg2

from consumers.indexing.commits import Read, index_commits
from consumers.indexing.keys import index_keys
from consumers.indexing.progress import Checkpoint, Move, Superseded, move_checkpoints, read_checkpoints, stop_partition, touch
from infra.codec.envelope import Envelope, HigherFormat, NotAnEnvelope, read_envelope
from infra.log.contract import Log, LogUnreachable, Reader, Record, Topic
from infra.log.partition import partition_of
from infra.postgres.connection import Connection, connect
from infra.postgres.leases import take_lease

logger = logging.getLogger(__name__)

BATCH_RECORDS = 5_000
HEARTBEAT_SECONDS = 1.0
RETRY_SECONDS = 0.5

Parsed = tuple[Envelope | None, str]
"""A commit, or the reason why a record is none."""


class Indexer:
    """Reads the partitions that it holds the lease of. `schema` is `index`, or a scratch one when the log is verified."""

    def __init__(
        self,
        dsn: str,
        log: Log,
        topic: Topic,
        *,
        partitions: Iterable[int] | None = None,
        schema: str = "index",
        lease: bool = True,
        until: Mapping[int, int] | None = None,
    ) -> None:
        self.dsn, self.log, self.topic, self.schema, self.lease = dsn, log, topic, schema, lease
        self.until = until
        """Next offsets to stop before, by partition; None: follow for ever."""
        every = set(range(log.partitions(topic)))
        self.wanted = every if partitions is None else every & set(partitions)
        self._connection: Connection | None = None
        self._reader: Reader | None = None
        self._at: dict[int, Checkpoint] = {}
        self._checked_leases = self._heartbeat = 0.0

    def run(self, stop: Event) -> None:
        """Index until told to stop. A database or broker that goes away is waited for."""
        while not stop.is_set():
            try:
                self.step(0.2)
            except Superseded as why:
                logger.info("%s", why)
                self.close()
            except (psycopg2.OperationalError, psycopg2.InterfaceError, LogUnreachable) as why:
                logger.warning("indexer of %s waits: %s", self.topic.value, type(why).__name__)
                self.close()
                stop.wait(RETRY_SECONDS)
        self.close()

    def step(self, timeout: float) -> int:
        """Read and index one batch; how many records it had. Raises Superseded if somebody else moved a checkpoint."""
        self._lead()
        if self._reader is None:
            time.sleep(timeout)
            return 0
        records = [r for r in self._reader.poll(timeout, BATCH_RECORDS) if self._is_next(r)]
        if records:
            self._index(records)
        else:
            self._say_alive()
        return len(records)

    def _is_next(self, record: Record) -> bool:
        if self.until is not None and record.offset >= self.until[record.partition]:
            return False
        return record.offset >= self._at[record.partition].next_offset

    def close(self) -> None:
        """Let go of reader, connection and leases."""
        if self._reader is not None:
            self._reader.close()
        if self._connection is not None:
            self._connection.close()
        self._reader = self._connection = None
        self._at = {}
        self._checked_leases = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _lead(self) -> None:
        """Once a second: take the leases that are free, and read from where the checkpoints stand."""
        if len(self._at) == len(self.wanted) or time.monotonic() - self._checked_leases < HEARTBEAT_SECONDS:
            return
        self._checked_leases = time.monotonic()
        connection = self._connected()
        with connection, connection.cursor() as cursor:
            free = {p for p in self.wanted - set(self._at) if not self.lease or take_lease(cursor, f"index:{self.topic.letter}{p}")}
            fresh = {p: at for p, at in read_checkpoints(cursor, self.schema, self.topic).items() if p in free}
        if fresh:
            self._at.update(fresh)
            self._reopen()

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self.dsn, autocommit=False)
        return self._connection

    def _reopen(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = self.log.reader(self.topic, {p: at.next_offset for p, at in self._at.items()}) if self._at else None

    def _index(self, records: Sequence[Record]) -> None:
        connection = self._connected()
        moves, batch, stopped = self._read(records)
        with connection, connection.cursor() as cursor:
            if moves:  # first of all: whoever else reads this partition waits here, then gives way, instead of writing the same rows
                move_checkpoints(cursor, self.schema, self.topic, moves, notify=self.schema == "index")
            if self.topic is Topic.KEYS:
                index_keys(cursor, self.schema, [read.record for read in batch])
            else:
                index_commits(cursor, self.schema, self.topic, batch)
            for partition, why in stopped.items():
                stop_partition(cursor, self.schema, self.topic, partition, why)
        self._at.update({partition: after for partition, _, after in moves})
        if stopped:
            self._leave(stopped)

    def _read(self, records: Sequence[Record]) -> tuple[list[Move], list[Read], dict[int, str]]:
        """The records parsed, each partition's checkpoint after them, and the partitions that must wait."""
        moves: list[Move] = []
        batch: list[Read] = []
        stopped: dict[int, str] = {}
        parse = _as_it_is if self.topic is Topic.KEYS else self._parse
        for partition, following in groupby(sorted(records, key=lambda r: r.partition), key=lambda r: r.partition):
            before = at = self._at[partition]
            for record in following:
                try:
                    commit, reason = parse(record)
                except HigherFormat as higher:
                    stopped[partition] = f"{higher} at {self.topic.letter}{partition}:{record.offset}: upgrade Annals to read on"
                    break
                at = at.past(record)
                batch.append(Read(record, at.log_time, commit, reason))
            if at is not before:
                moves.append((partition, before, at))
        return moves, batch, stopped

    def _parse(self, record: Record) -> Parsed:
        try:
            commit = read_envelope(record.value, record.key)
        except NotAnEnvelope as why:
            return None, str(why)
        if partition_of(commit.key.encode(), self.log.partitions(self.topic)) != record.partition:
            return None, "the partition is not the key's"
        return commit, ""

    def _leave(self, stopped: dict[int, str]) -> None:
        for partition, why in stopped.items():
            logger.error("%s", why)
            del self._at[partition]
            self.wanted.discard(partition)
        self._reopen()

    def _say_alive(self) -> None:
        if time.monotonic() - self._heartbeat < HEARTBEAT_SECONDS:
            return
        self._heartbeat = time.monotonic()
        connection = self._connected()
        with connection, connection.cursor() as cursor:
            touch(cursor, self.schema, self.topic, list(self._at))


def _as_it_is(_record: Record) -> Parsed:
    """Records of keys are no commits."""
    return None, ""
