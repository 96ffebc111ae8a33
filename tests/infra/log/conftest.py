"""Both logs behind one fixture: what the contract promises is tried on each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import pytest

from infra.log.contract import Log, Topic
from infra.log.embedded import EmbeddedLog
from infra.log.kafka import KafkaLog
from infra.log.kafka_client import Cluster
from tests.conftest import WITHOUT_KAFKA
from tests.faults import Broker, free_port

PARTITIONS = {Topic.DECISIONS: 3, Topic.FACTS: 4, Topic.KEYS: 8}

Opening = Callable[..., Log]
"""Opens one more Log object over the same records; keyword arguments are those of the log's class, and `partitions`."""


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def where(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    """Which log, the address of its server, and a prefix of this test's own."""
    if request.param == "embedded":
        return "embedded", request.getfixturevalue("dsn"), ""
    return "kafka", request.getfixturevalue("broker").address, f"t{uuid4().hex[:10]}"


@pytest.fixture
def opening(where: tuple[str, str, str]) -> Iterator[Opening]:
    with ExitStack() as stack:

        def open_one(**options: object) -> Log:
            log = log_at(*where, **options)
            stack.callback(log.close)
            return log

        yield open_one


@pytest.fixture
def log(opening: Opening) -> Log:
    """A log with nothing in it."""
    one = opening()
    one.check()
    return one


def log_at(kind: str, address: str, prefix: str, **options: object) -> Log:
    """One Log object; `partitions` may be given beside its own options."""
    partitions = options.pop("partitions", PARTITIONS)
    if kind == "embedded":
        return EmbeddedLog(address, partitions, **options)
    return KafkaLog(Cluster((address,), prefix), partitions, **options)


@pytest.fixture(scope="module")
def own_broker() -> Iterator[Broker]:
    """A broker for tests that hurt it, so that the session's stays well."""
    if os.environ.get(WITHOUT_KAFKA) == "1":
        pytest.skip(f"{WITHOUT_KAFKA}=1: nothing that this test says about Kafka was tried")
    folder = Path(mkdtemp(prefix="annals-log-"))
    broker = Broker(folder, free_port())
    try:
        broker.restart()
        yield broker
    finally:
        broker.kill()
        shutil.rmtree(folder, ignore_errors=True)
