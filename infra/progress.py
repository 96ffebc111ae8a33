"""Waits for readers of the log: a thread listens to their notifications and wakes whoever waits for a position."""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Callable, Iterable, Mapping

import orjson
import psycopg2

from infra.log.contract import Position, Topic
from infra.postgres.connection import Connection, connect

logger = logging.getLogger(__name__)

LISTEN_MILLISECONDS = 100
"""How soon `close` is noticed."""

Partition = tuple[Topic, int]
_TOPIC = {topic.letter: topic for topic in Topic}


class Progress:
    """How far the index has come, as its indexers say. After each (re)connect the checkpoints are read again and believed:
    after a crash of PostgreSQL they may have gone back."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._next: dict[Partition, int] = {}
        self._moved = threading.Condition()
        self._stop = threading.Event()
        self._erased: list[Callable[[], None]] = []
        self._listeners: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._thread.start()

    def next_offset(self, topic: Topic, partition: int) -> int:
        """The first offset that the index has not passed, as last heard."""
        return self._next.get((topic, partition), 0)

    def wait_for(self, positions: Iterable[Position], timeout: float) -> bool:
        """Wait until the index has passed all of these; False if it took too long."""
        last: dict[Partition, int] = {}
        for position in positions:
            partition = (position.topic, position.partition)
            last[partition] = max(last.get(partition, 0), position.offset + 1)
        return self.wait_until(last, timeout)

    def wait_until(self, ends: Mapping[Partition, int], timeout: float) -> bool:
        """Wait until each partition's next offset is at least the one given."""
        with self._moved:
            return self._moved.wait_for(lambda: all(self._next.get(p, 0) >= end for p, end in ends.items()), timeout)

    def on_erased(self, forget: Callable[[], None]) -> None:
        """Call this whenever somebody was erased, or may have been while we were not listening."""
        self._erased.append(forget)

    def on_moved(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call this whenever the index has moved; returns what ends it."""
        self._listeners.append(call)
        return lambda: self._listeners.remove(call) if call in self._listeners else None

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg2.Error as why:
                logger.info("progress listens again: %s", type(why).__name__)
                self._stop.wait(0.2)

    def _listen(self) -> None:
        connection = connect(self.dsn)
        try:
            with connection.cursor() as cursor:
                cursor.execute("LISTEN index; LISTEN erased")
                self._believe(connection)
                waiting = select.poll()  # select() fails on numbers of 1024 and above
                waiting.register(connection.fileno(), select.POLLIN)
                while not self._stop.is_set():
                    if waiting.poll(LISTEN_MILLISECONDS):
                        connection.poll()
                        self._hear(connection)
        finally:
            connection.close()

    def _believe(self, connection: Connection) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT topic, partition, next_offset FROM index.checkpoint")
            rows = cursor.fetchall()
        with self._moved:
            self._next = {(_TOPIC[letter], partition): offset for letter, partition, offset in rows}
            self._moved.notify_all()
        self._forget()

    def _hear(self, connection: Connection) -> None:
        heard = list(connection.notifies)
        connection.notifies.clear()
        with self._moved:
            for notification in heard:
                if notification.channel == "index":
                    for letter, ends in orjson.loads(notification.payload).items():
                        for partition, end in ends.items():
                            self._next[_TOPIC[letter], int(partition)] = end
            self._moved.notify_all()
        for call in list(self._listeners):
            call()
        if any(notification.channel == "erased" for notification in heard):
            self._forget()

    def _forget(self) -> None:
        for forget in self._erased:
            forget()


def deadline(seconds: float) -> Callable[[], float]:
    """A clock that tells how many seconds are left, never less than 0."""
    end = time.monotonic() + seconds
    return lambda: max(0.0, end - time.monotonic())
