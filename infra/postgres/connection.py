"""Connections to PostgreSQL: one way to open one, one pool that never raises for want of a connection and never opens a storm."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import psycopg2.extensions
import psycopg2.extras

psycopg2.extras.register_uuid()  # type: ignore[no-untyped-call]

Connection = psycopg2.extensions.connection
Cursor = psycopg2.extensions.cursor


def connect(dsn: str, *, autocommit: bool = True, durable: bool = False) -> Connection:
    """Open a connection in UTC. `durable`: a commit waits for the disk; only the embedded log and its keys need that,
    for what a crash loses of the rest, the log gives back."""
    connection = psycopg2.connect(dsn, application_name="annals", connect_timeout=10, keepalives_idle=30)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"SET synchronous_commit = {'on' if durable else 'off'}; SET TIME ZONE 'UTC'; SET jit = off")
    connection.autocommit = autocommit
    return connection


class Pool:
    """At most `size` connections, opened when first needed. Who asks while all are out waits for one to come back."""

    def __init__(self, dsn: str, size: int = 8) -> None:
        self.dsn = dsn
        self._idle: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        self._closed = threading.Event()
        for _ in range(size):
            self._idle.put(None)

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A cursor within a transaction: committed at the end, rolled back on an error. A broken connection is thrown away."""
        connection = self._idle.get()
        try:
            if connection is None or connection.closed:
                connection = connect(self.dsn, autocommit=False)
            try:
                with connection.cursor() as cursor:
                    yield cursor
                connection.commit()
            except BaseException:
                connection = _rolled_back(connection)
                raise
        finally:
            if self._closed.is_set() and connection is not None:
                connection.close()
                connection = None
            self._idle.put(connection)

    def close(self) -> None:
        """Close the idle connections; those in use are closed when they come back."""
        self._closed.set()
        for _ in range(self._idle.qsize()):
            connection = self._idle.get()
            if connection is not None:
                connection.close()
            self._idle.put(None)


def _rolled_back(connection: Connection) -> Connection | None:
    try:
        connection.rollback()
    except psycopg2.Error:
        connection.close()
        return None
    return connection
