"""Writers while the broker does not answer for longer than a producer tries: every command's event is there once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from domain.customer import CUSTOMER, CaptureCustomer
from infra.log.contract import LogUnreachable
from tests.faults import Broker
from tests.infra.crm import ACTOR, Shop, running, settings_of

pytestmark = [pytest.mark.kafka, pytest.mark.soak]
PAUSED_SECONDS = 150
COMMANDS = 30


@pytest.fixture
def kafka_shop(dsn: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    yield from running(settings_of("kafka", dsn, tmp_path, request))


def test_a_broker_paused_under_writers_loses_nothing_and_doubles_nothing(kafka_shop: Shop, broker: Broker) -> None:
    """Each writer sends its command, with the same Idempotency-Key, until it is answered."""
    deadline = time.monotonic() + PAUSED_SECONDS + 300

    def write(name: str) -> tuple[str, int]:
        key, tries = uuid4(), 0
        while True:
            assert time.monotonic() < deadline, "the log did not come back"
            tries += 1
            try:
                outcome = kafka_shop.crm.handle(CUSTOMER, CaptureCustomer(company=name), key=key, actor=ACTOR, idempotency_key=name)
            except LogUnreachable:
                time.sleep(1)
                continue
            if not outcome.open:
                return str(key), tries

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write, f"before {n}") for n in range(COMMANDS)]
        broker.pause()
        writers += [pool.submit(write, f"during {n}") for n in range(COMMANDS)]
        time.sleep(PAUSED_SECONDS)
        broker.resume()
        answers = [writer.result() for writer in writers]
    kafka_shop.indexed()
    assert max(tries for _, tries in answers) > 1, "nobody noticed the pause"
    keys = sorted(str(key) for (key,) in kafka_shop.rows("SELECT key FROM index.event"))
    assert keys == sorted(key for key, _ in answers)
