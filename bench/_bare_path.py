"""The bare write path: the floor that a command and an import are compared with, in the same run on the same servers.

One command = read the key's rows, append one record and wait until it is durable, wait for NOTIFY that the indexer has passed it,
read back who won. No rules, no gate, no encryption, no read model; nothing of ours but the two servers. Indexers are processes of
their own.
"""

from __future__ import annotations

import multiprocessing
import select
import threading
import time
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import orjson
import psycopg2

from bench._bare_wires import Sent, Wire, connect

_processes = multiprocessing.get_context("spawn")


def record(key: str, commit: str, size: int) -> bytes:
    """A commit of one event, `size` bytes long."""
    empty = {"id": commit, "key": key, "events": [{"stream": key, "version": 1, "type": "x", "data": {"name": ""}}]}
    empty["events"][0]["data"]["name"] = "a" * max(0, size - len(orjson.dumps(empty)))  # type: ignore[index]
    return orjson.dumps(empty)


def index(wire: Wire, dsn: str, table: str) -> None:
    """The indexer's process: it ends with its parent."""
    poll = wire.reader()
    connection = connect(dsn)
    cursor = connection.cursor()
    while True:
        rows, ends = [], {}
        for partition, found in poll().items():
            for offset, value in found:
                commit = orjson.loads(value)
                for event in commit["events"]:
                    data = orjson.dumps(event["data"]).decode()
                    rows.append((commit["key"], event["stream"], event["version"], commit["id"], event["type"], partition, offset, data))
            ends[partition] = found[-1][0] + 1
        if rows:
            _write(cursor, table, rows, ends)


def _write(cursor: Any, table: str, rows: list[tuple[Any, ...]], ends: dict[int, int]) -> None:
    cursor.execute("BEGIN")
    if len(rows) > 50:
        cursor.copy_expert(f"COPY {table}_event FROM STDIN", StringIO("".join("\t".join(map(str, row)) + "\n" for row in rows)))
    else:
        cursor.executemany(f"INSERT INTO {table}_event VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", rows)
    for partition, end in ends.items():
        cursor.execute(f"UPDATE {table}_progress SET next = %s WHERE part = %s", (end, partition))
    cursor.execute("SELECT pg_notify(%s, %s)", (f"{table}_index", orjson.dumps(ends, option=orjson.OPT_NON_STR_KEYS).decode()))
    cursor.execute("COMMIT")


def pour(wire: Wire, count: int, size: int) -> None:
    """Append so many facts; return when all are durable."""
    wire.pour(_facts(wire.partitions, count, size))


def _facts(partitions: int, count: int, size: int) -> Iterator[Sent]:
    for number in range(count):
        key = str(uuid4())
        yield number % partitions, key.encode(), record(key, key, size)


class BareTopic:
    """One topic with its index, its indexer, and somebody who listens to it."""

    def __init__(self, wire: Wire, dsn: str, table: str, size: int) -> None:
        self.wire, self.dsn, self.table, self.size = wire, dsn, table, size
        self._passed = [0] * wire.partitions
        self._moved = threading.Condition()
        self._local = threading.local()
        self._closed = False
        cursor = connect(dsn).cursor()
        cursor.execute(
            f"""CREATE TABLE {table}_event (key uuid, stream uuid, version int, commit_id uuid, type text, part int, off bigint,
                                            data jsonb, PRIMARY KEY (key, stream, version));
                CREATE TABLE {table}_progress (part int PRIMARY KEY, next bigint)"""
        )
        cursor.execute(f"INSERT INTO {table}_progress SELECT generate_series(0, %s), 0", (wire.partitions - 1,))
        wire.create()
        self.indexer = _processes.Process(target=index, args=(wire, dsn, table), daemon=True)
        self.indexer.start()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def command(self, number: int) -> None:
        """One command, to a key of its own. Thread-safe."""
        cursor, send = self._own()
        key, commit, partition = str(uuid4()), str(uuid4()), number % self.wire.partitions
        cursor.execute(f"SELECT stream, version, data FROM {self.table}_event WHERE key = %s", (key,))
        cursor.fetchall()
        offset = send(partition, key.encode(), record(key, commit, self.size))
        self._wait_for(partition, offset)
        cursor.execute(f"SELECT commit_id::text FROM {self.table}_event WHERE key = %s AND stream = %s AND version = 1", (key, key))
        if cursor.fetchone() != (commit,):
            raise AssertionError("the bare path lost a command")

    def pour_beside(self, count: int) -> Any:
        """A process that pours so many facts."""
        process = _processes.Process(target=pour, args=(self.wire, count, self.size), daemon=True)
        process.start()
        return process

    def indexed(self) -> int:
        """How many records the index has passed."""
        return sum(self._passed)

    def close(self) -> None:
        """End what was started."""
        self._closed = True
        self.indexer.kill()
        self.indexer.join()
        self._listener.join(5)

    def _own(self) -> tuple[Any, Callable[[int, bytes, bytes], int]]:
        if not hasattr(self._local, "own"):
            self._local.own = connect(self.dsn).cursor(), self.wire.sender()
        own: tuple[Any, Callable[[int, bytes, bytes], int]] = self._local.own
        return own

    def _wait_for(self, partition: int, offset: int) -> None:
        end = time.monotonic() + 60
        with self._moved:
            while self._passed[partition] <= offset:
                if time.monotonic() > end:
                    raise TimeoutError("the bare path's indexer does not answer")
                self._moved.wait(1)

    def _listen(self) -> None:
        connection = connect(self.dsn)
        connection.cursor().execute(f"LISTEN {self.table}_index")
        while not self._closed:
            select.select([connection], [], [], 0.5)
            try:
                connection.poll()
            except psycopg2.OperationalError:  # the server has gone: the run is over
                return
            with self._moved:
                for notification in connection.notifies:
                    for partition, end in orjson.loads(notification.payload).items():
                        self._passed[int(partition)] = max(self._passed[int(partition)], end)
                connection.notifies.clear()
                self._moved.notify_all()
        connection.close()
