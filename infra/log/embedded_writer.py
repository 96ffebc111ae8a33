"""Appends to one topic of the embedded log: one thread, one connection, one commit for all that waits.

Offsets come from the partition's counter row, taken in the transaction that inserts: who holds the row is alone in the partition
until the commit, so records become visible in the order of their offsets and no reader can skip one that commits late. Rows are
taken in the order of their partitions, so that two writers cannot deadlock.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from struct import Struct

import psycopg2

from infra.log.contract import LogUnreachable, Outgoing, Position, Topic
from infra.log.digest import headers_bytes
from infra.log.embedded_errors import explained
from infra.log.embedded_tables import channel_of, counters_of, require_partitions, table_of
from infra.log.futures import Handed
from infra.log.pulse import Pulse
from infra.postgres.connection import Connection, Cursor, connect

GROUP_RECORDS = 5_000
GROUP_BYTES = 4 << 20
"""The most that one commit takes: while it lasts, other processes wait for its partitions."""

_COPY_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
_FIELDS = Struct(">h").pack
_LENGTH = Struct(">i").pack
_NULL = _LENGTH(-1)
_PLACE = Struct(">iiiqiq").pack


@dataclass(slots=True)
class Waiting:
    """A record on its way in: its fields as COPY takes them, and who waits for it."""

    partition: int
    key: bytes
    row: bytes
    future: Handed = field(default_factory=Handed)


def row_of(record: Outgoing) -> bytes:
    """Key, value and headers in COPY's binary form; the columns that the counter decides follow."""
    return b"".join((_FIELDS(6), *_field(record.key), *_field(record.value), *_field(headers_bytes(record.headers))))


def _field(data: bytes | None) -> tuple[bytes, ...]:
    return (_NULL,) if data is None else (_LENGTH(len(data)), data)


class Writer:
    """Thread-safe. `submit` returns at once; the futures end when the group that took the record is on the disk."""

    def __init__(self, dsn: str, topic: Topic, partitions: int) -> None:
        self.topic, self.partitions = topic, partitions
        self.pulse = Pulse(self._ask)
        self._dsn = dsn
        self._connection: Connection | None = None
        self._prompt: deque[Waiting] = deque()
        self._bulk: deque[Waiting] = deque()
        self._asked: list[Future[None]] = []
        self._work = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"log-{topic.value}", daemon=True)
        self._thread.start()

    def submit(self, records: Iterable[Waiting], *, bulk: bool) -> None:
        """Hand records over. Raises LogUnreachable once closed."""
        with self._work:
            if self._closing:
                raise LogUnreachable("The log is closed in this process, so nothing was handed over.")
            (self._bulk if bulk else self._prompt).extend(records)
            self._work.notify()

    def close(self, timeout: float) -> None:
        """Write what waits, then stop. After `timeout` seconds the futures left fail: their records' fate is open."""
        with self._work:
            self._closing = True
            self._work.notify()
        self._thread.join(timeout)
        with self._work:
            left = [*self._prompt, *self._bulk]
            self._prompt.clear()
            self._bulk.clear()
        self._fail(left, "The log was closed before PostgreSQL took the record, so its fate is open.")

    def _ask(self, timeout: float) -> None:
        asked: Future[None] = Future()
        with self._work:
            if self._closing:
                raise LogUnreachable("The log is closed in this process, so nothing was handed over.")
            self._asked.append(asked)
            self._work.notify()
        try:
            asked.result(timeout)
        except TimeoutError as error:
            raise LogUnreachable(f"PostgreSQL has not answered for {timeout:g} seconds, so nothing was handed over.") from error

    def _run(self) -> None:
        while True:
            with self._work:
                while not (self._prompt or self._bulk or self._asked or self._closing):
                    self._work.wait()
                group, asked = self._take(), self._asked
                self._asked = []
                if not group and not asked:
                    break
            self._write(group, asked)
        self._disconnect()

    def _take(self) -> list[Waiting]:
        """What the next commit takes: what is prompt first, so that a ringing call does not wait for an import."""
        group: list[Waiting] = []
        size = 0
        for queue in (self._prompt, self._bulk):
            while queue and len(group) < GROUP_RECORDS and size < GROUP_BYTES:
                waiting = queue.popleft()
                group.append(waiting)
                size += len(waiting.row)
        return group

    def _write(self, group: list[Waiting], asked: list[Future[None]]) -> None:
        """One commit; or the question whether PostgreSQL is there. Whatever goes wrong, somebody hears of it."""
        try:
            offsets = self._insert(group) if group else self._require_answer()
        except Exception as error:  # noqa: BLE001 - a thread that died here would leave every caller waiting
            self._disconnect()
            why = explained(error)
            self._fail(group, f"{why} The record's fate is open.")
            for future in asked:
                future.set_exception(why)
            return
        self.pulse.answered()
        for future in asked:
            future.set_result(None)
        for waiting, offset in zip(group, offsets, strict=True):
            waiting.future.settle(Position(self.topic, waiting.partition, offset))

    def _require_answer(self) -> list[int]:
        """Return (no offsets) if PostgreSQL answers, over a new connection where the old one has died; else raise."""
        if self._connection is not None:
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                return []
            except psycopg2.Error:
                self._disconnect()
        self._connect()
        return []

    def _insert(self, group: list[Waiting]) -> list[int]:
        """Make the group durable; return its offsets."""
        connection = self._connection or self._connect()
        with connection.cursor() as cursor:
            times, offsets = self._take_places(cursor, group)
            kept: Iterable[int] = range(len(group))
            if self.topic is Topic.KEYS:
                last = {waiting.key: number for number, waiting in enumerate(group)}  # of one record key, the last alone stays
                cursor.execute(f"DELETE FROM {table_of(self.topic)} WHERE key = ANY(%s)", (list(last),))
                kept = last.values()
            rows = [part for n in kept for part in (group[n].row, _PLACE(4, group[n].partition, 8, offsets[n], 8, times[n]))]
            cursor.copy_expert(
                f'COPY {table_of(self.topic)} (key, value, headers, partition, "offset", timestamp) FROM STDIN (FORMAT binary)',
                BytesIO(b"".join((_COPY_BEGIN, *rows, _COPY_END))),
            )
            # NOTIFY within the transaction would hold PostgreSQL's one lock on notifications while the disk works, for every topic.
            cursor.execute(f"COMMIT; NOTIFY {channel_of(self.topic)}")
        return offsets

    def _take_places(self, cursor: Cursor, group: list[Waiting]) -> tuple[list[int], list[int]]:
        """Begin the transaction, and take from the counters the time and the offset of each record."""
        counts = Counter(waiting.partition for waiting in group)
        parts = sorted(counts)
        cursor.execute(
            "BEGIN ISOLATION LEVEL READ COMMITTED; EXECUTE hold(%s); EXECUTE take(%s, %s)", (parts, parts, [counts[p] for p in parts])
        )
        places = {partition: (time, count(following - counts[partition])) for partition, following, time in cursor.fetchall()}
        return [places[w.partition][0] for w in group], [next(places[w.partition][1]) for w in group]

    def _connect(self) -> Connection:
        counters = counters_of(self.topic)
        self._connection = connection = connect(self._dsn, durable=True)
        with connection.cursor() as cursor:
            require_partitions(cursor, self.topic, self.partitions)
            cursor.execute(
                f"""PREPARE hold(int[]) AS
                        SELECT 1 FROM {counters} WHERE topic = '{self.topic.value}' AND partition = ANY($1) ORDER BY partition FOR UPDATE;
                    PREPARE take(int[], bigint[]) AS
                        UPDATE {counters} AS p SET next = p.next + n,
                            time = greatest(p.time, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
                        FROM unnest($1, $2) AS w (partition, n) WHERE p.topic = '{self.topic.value}' AND p.partition = w.partition
                        RETURNING p.partition, p.next, p.time"""
            )
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg2.Error):
                connection.close()

    @staticmethod
    def _fail(group: Iterable[Waiting], why: str) -> None:
        for waiting in group:
            waiting.future.give_up(why)
