"""A whole Crm for tests, on either log, with its indexers running in threads that a test can stop and start."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from consumers.indexing.indexer import Indexer
from infra.crm import Crm
from infra.log.contract import Outgoing, Position, Record, Topic
from infra.log.open import open_log
from infra.postgres.connection import connect
from infra.settings import Settings
from tests.faults import Broker

D, F, K = Topic.DECISIONS, Topic.FACTS, Topic.KEYS
ACTOR = "user:test"
SECONDS = 30.0
"""How long a test waits for what should come at once: the machine may be slow."""


class Shop:
    """One installation under test: settings that any number of processes could share, and one Crm with indexers."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = ExitStack()
        self.crm = self.another()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []

    @property
    def dsn(self) -> str:
        return self.crm.dsn

    def another(self) -> Crm:
        """One more Crm on the same log and database: what another process would have."""
        return self._stack.enter_context(Crm(self.settings))

    def index(self, topics: Iterable[Topic] = Topic) -> None:
        """Start an indexer for each topic; by the end of the test, or `stop_indexing`, none of them may have failed."""
        self._stop = stop = threading.Event()

        def run(indexer: Indexer) -> None:
            try:
                indexer.run(stop)
            except BaseException as error:
                self._failures.append(error)
                raise

        for topic in topics:
            self._threads.append(threading.Thread(target=run, args=(Indexer(self.dsn, self.crm.log, topic),)))
            self._threads[-1].start()

    def stop_indexing(self) -> None:
        """Stop them and wait; fails if one of them failed."""
        self._stop.set()
        for thread in self._threads:
            thread.join(SECONDS)
            assert not thread.is_alive()
        self._threads = []
        assert not self._failures

    def append(self, topic: Topic, *records: Outgoing) -> list[Position]:
        """Append and wait until all are durable."""
        return [future.result(SECONDS) for future in self.crm.log.append(topic, records, bulk=len(records) > 10)]

    def indexed(self) -> None:
        """Wait until the index has all of the log."""
        assert self.crm.wait_until_indexed(SECONDS), "the index did not catch up"

    def catch_up(self, schema: str = "index", topics: Iterable[Topic] = Topic) -> None:
        """Index all of the log from where `schema` stands, here and now, with no indexer running beside it."""
        for topic in topics:
            with Indexer(self.dsn, self.crm.log, topic, schema=schema, lease=False) as indexer:
                ends = self.crm.log.ends(topic)
                while any(self.offset(topic, p, schema) < end for p, end in ends.items()):
                    indexer.step(0.1)

    def offset(self, topic: Topic, partition: int, schema: str = "index") -> int:
        """Where the index stands."""
        ((offset,),) = self.rows(
            f'SELECT next_offset FROM "{schema}".checkpoint WHERE topic = %s AND partition = %s', topic.letter, partition
        )
        return int(offset)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says."""
        with self.crm.pool.transaction() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def records(self, topic: Topic) -> list[Record]:
        """Everything that is in the log."""
        ends = self.crm.log.ends(topic)
        found: list[Record] = []
        with self.crm.log.reader(topic, dict.fromkeys(ends, 0)) as reader:
            while any(max((r.offset + 1 for r in found if r.partition == p), default=0) < end for p, end in ends.items()):
                found += reader.poll(1, 10_000)
        return found

    def close(self) -> None:
        try:
            self.stop_indexing()
        finally:
            self._stack.close()


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def settings(request: pytest.FixtureRequest, dsn: str, tmp_path: Path) -> Settings:
    """Settings of an installation that is nobody else's, on either log."""
    return settings_of(request.param, dsn, tmp_path, request)


@pytest.fixture
def embedded_settings(dsn: str, tmp_path: Path) -> Settings:
    """The same on the embedded log alone, for what does not depend on the log."""
    return small(data=tmp_path / "data", database=dsn)


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    """An installation on either log, indexers running."""
    yield from running(settings)


@pytest.fixture
def embedded_shop(embedded_settings: Settings) -> Iterator[Shop]:
    """An installation on the embedded log, indexers running."""
    yield from running(embedded_settings)


@pytest.fixture
def still_shop(settings: Settings) -> Iterator[Shop]:
    """An installation on either log that nobody indexes yet."""
    one = Shop(settings)
    yield one
    one.close()


def running(settings: Settings) -> Iterator[Shop]:
    """A shop whose indexers run."""
    one = Shop(settings)
    try:
        one.index()
        yield one
    finally:
        one.close()


def settings_of(kind: str, dsn: str, folder: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings for the log named; the broker is only started where it is Kafka."""
    if kind == "embedded":
        return small(data=folder / "data", database=dsn)
    broker: Broker = request.getfixturevalue("broker")
    return small(data=folder / "data", database=dsn, log="kafka", kafka=(broker.address,), prefix=f"t{uuid4().hex[:10]}")


def small(**given: Any) -> Settings:
    """Few partitions, so that a broker makes them quickly."""
    return Settings(**{"decision_partitions": 2, "fact_partitions": 3, "region": "RO", **given})


def log_at(settings: Settings) -> Any:
    """One more Log on the same records."""
    assert settings.database is not None
    return open_log(settings, settings.database)


def key_in(topic_partitions: int, partition: int) -> UUID:
    """A random key that belongs to this partition."""
    from infra.log.partition import partition_of

    while True:
        key = uuid4()
        if partition_of(str(key).encode(), topic_partitions) == partition:
            return key


__all__ = ["ACTOR", "SECONDS", "D", "F", "K", "Shop", "connect", "embedded_settings", "embedded_shop", "settings", "shop", "still_shop"]
