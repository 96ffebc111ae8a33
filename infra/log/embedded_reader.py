"""Follows one topic of the embedded log: woken by NOTIFY, and looking by itself once a second in case one was lost."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import Self

import psycopg2

from infra.log.contract import LogError, Position, Record, Topic
from infra.log.digest import headers_from
from infra.log.embedded_errors import explained
from infra.log.embedded_tables import channel_of, counters_of, table_of
from infra.postgres.connection import Connection, connect

LOOK_SECONDS = 1.0
PARTITION_BYTES = 4 << 20
"""The most bytes of values that one look takes from a partition (and always one record)."""


class EmbeddedReader:
    """Not thread-safe. Connects when first polled, and again after the connection broke."""

    def __init__(self, dsn: str, topic: Topic, start: Mapping[int, int]) -> None:
        self._dsn, self._topic = dsn, topic
        self._next = dict(start)
        self._turn = deque(start)  # whose partition is looked at first: the one that waited longest
        self._connection: Connection | None = None

    def poll(self, timeout: float, limit: int) -> list[Record]:
        deadline = monotonic() + timeout
        try:
            connection = self._connection or self._connect()
            while True:
                records = self._look(connection, limit)
                left = deadline - monotonic()
                if records or left <= 0:
                    return records
                _wait(connection, min(left, LOOK_SECONDS))
        except psycopg2.Error as error:
            self.close()
            raise explained(error) from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg2.Error):
                connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _look(self, connection: Connection, limit: int) -> list[Record]:
        partitions = list(self._turn)
        with connection.cursor() as cursor:
            cursor.execute("EXECUTE look(%s, %s::bigint[], %s)", (partitions, [self._next[p] for p in partitions], limit))
            rows = cursor.fetchall()
        records: list[Record] = []
        for partition, offset, timestamp, key, value, headers in rows:
            if offset != self._next[partition] and self._topic is not Topic.KEYS:
                if records:
                    break  # what was read is returned; the next look begins with the gap
                raise LogError(
                    f"The log has lost {Position(self._topic, partition, self._next[partition])}: what follows is "
                    f"{Position(self._topic, partition, offset)}; restore the schemas log and keys whole, from one backup."
                )
            self._next[partition] = offset + 1
            records.append(Record(self._topic, partition, offset, timestamp, _bytes(key), _bytes(value), headers_from(bytes(headers))))
        if records:
            self._turn.rotate(-1 - self._turn.index(records[0].partition))
        return records

    def _connect(self) -> Connection:
        self._connection = connection = connect(self._dsn)
        with connection.cursor() as cursor:
            # The plan is made once, perhaps when the table is empty: it must be the index's, and in the order asked for.
            cursor.execute(f"""
                SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET max_parallel_workers_per_gather = 0;
                LISTEN {channel_of(self._topic)};
                PREPARE look(int[], bigint[], int) AS
                    SELECT f.partition, f."offset", f.timestamp, f.key, f.value, f.headers
                    FROM unnest($1, $2) AS s (partition, next) CROSS JOIN LATERAL (
                        SELECT few.*, sum(coalesce(octet_length(few.value), 0)) OVER (ORDER BY few."offset")
                            - coalesce(octet_length(few.value), 0) AS before
                        FROM (SELECT r.* FROM {table_of(self._topic)} r WHERE r.partition = s.partition AND r."offset" >= s.next
                            ORDER BY r.partition, r."offset" LIMIT $3) few) f
                    WHERE f.before < {PARTITION_BYTES} LIMIT $3""")
            cursor.execute(f"SELECT partition, next FROM {counters_of(self._topic)} WHERE topic = %s", (self._topic.value,))
            ends = dict(cursor.fetchall())
        for partition, following in self._next.items():
            if following > ends.get(partition, 0):
                raise LogError(
                    f"{Position(self._topic, partition, following)} was asked for, but {self._topic.letter}{partition} of the log ends at "
                    f"{ends.get(partition, 0)}: the log is older than what was read from it; restore the newer one."
                )
        return connection


def _wait(connection: Connection, seconds: float) -> None:
    """Until a notification came (it only says that there is something new) or the time is over."""
    waiting = select.poll()  # select() fails on numbers of 1024 and above
    waiting.register(connection.fileno(), select.POLLIN)
    if not connection.notifies and waiting.poll(seconds * 1000):
        connection.poll()
    connection.notifies.clear()


def _bytes(data: memoryview | None) -> bytes | None:
    return None if data is None else bytes(data)
