"""A broker that stops answering for a while, in the middle of things: nothing acknowledged is lost, nothing happens twice."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from uuid import UUID

import pytest

from domain.customer import CUSTOMER, CaptureCustomer
from infra.crm import Crm
from infra.log.contract import LogUnreachable
from infra.settings import Settings
from tests.endtoend.installation import Installation
from tests.endtoend.shop import ShopFile
from tests.faults import Broker, wait_until

PAUSE_SECONDS = 10.0
SOAK_SECONDS = 150.0
WRITERS = 8
ACTOR = "user:test"


@pytest.mark.parametrize("seconds", [PAUSE_SECONDS, pytest.param(SOAK_SECONDS, marks=pytest.mark.soak)])
def test_an_import_goes_on_by_itself(
    on_kafka: Installation, broker: Broker, shop: ShopFile, shop_import: tuple[object, ...], seconds: float
) -> None:
    with on_kafka.server():
        process = on_kafka.start("import", "--json", *shop_import)
        wait_until(lambda: events(on_kafka) > 20 or process.poll() is not None, 60, what="the first events")
        paused(broker, seconds)
        out, err = process.communicate(timeout=300)
        assert "Traceback" not in err
        # A pause longer than a decision's wait ends an import with a sentence; the same command goes on.
        assert process.returncode == 0 or "run the same command again" in err, (out, err)
        answer = on_kafka.imports(*shop_import)
        assert answer["read"] == answer["recorded"] + answer["known"] == shop.events
        on_kafka.project()
        assert on_kafka.total() == shop.total
        assert on_kafka.ask("SELECT count(*), count(DISTINCT subject) FROM read.ledger_entry") == [(shop.events, shop.events)]


@dataclass
class Said:
    """What the writers were told: customers whose capture was acknowledged, and those whose outcome is open."""

    accepted: set[UUID] = field(default_factory=set)
    open: set[UUID] = field(default_factory=set)
    unreachable: int = 0


@pytest.mark.parametrize("seconds", [PAUSE_SECONDS, pytest.param(SOAK_SECONDS, marks=pytest.mark.soak)])
def test_commands_that_were_acknowledged_are_there_once(on_kafka: Installation, broker: Broker, seconds: float) -> None:
    with on_kafka.server(), on_kafka.running("project"), Crm(Settings.from_environment(on_kafka.environment)) as crm:
        stop = Event()
        with ThreadPoolExecutor(WRITERS) as pool:
            writers = [pool.submit(write_until, crm, stop, number) for number in range(WRITERS)]
            time.sleep(1)
            paused(broker, seconds)
            back = time.monotonic()
            wait_until(lambda: answers(crm), 60, what="the first accepted command after the pause")
            print(f"accepted again {time.monotonic() - back:.1f} s after the pause")
            stop.set()
            said = [writer.result(90) for writer in writers]
        accepted = set().union(*(one.accepted for one in said))
        assert accepted
        assert crm.wait_until_indexed(60)
        stored = [row[0] for row in on_kafka.ask("SELECT key FROM index.event WHERE type = 'customer.captured'")]
        assert len(stored) == len(set(stored))
        assert accepted <= set(stored)
        for customer in set().union(*(one.open for one in said)):
            outcome = crm.handle(CUSTOMER, captured(customer), key=customer, actor=ACTOR, idempotency_key=str(customer))
            assert not outcome.open
        wait_until(on_kafka.is_projected, 60, what="the read models")


def write_until(crm: Crm, stop: Event, number: int) -> Said:
    """Capture one customer after the other."""
    said, draw = Said(), random.Random(number)
    while not stop.is_set():
        customer = UUID(int=draw.getrandbits(128), version=4)
        try:
            outcome = crm.handle(CUSTOMER, captured(customer), key=customer, actor=ACTOR, idempotency_key=str(customer))
            (said.open if outcome.open else said.accepted).add(customer)
        except LogUnreachable:
            said.unreachable += 1
            time.sleep(0.2)
    return said


def captured(customer: UUID) -> CaptureCustomer:
    return CaptureCustomer(company=f"Fabrica {customer.hex[:6]}")


def answers(crm: Crm) -> bool:
    """Whether a new command is accepted at once."""
    customer = UUID(int=random.getrandbits(128), version=4)
    try:
        return not crm.handle(CUSTOMER, captured(customer), key=customer, actor=ACTOR).open
    except LogUnreachable:
        return False


def events(one: Installation) -> int:
    if not one.ask("SELECT to_regclass('index.event')")[0][0]:
        return 0
    return int(one.ask("SELECT count(*) FROM index.event")[0][0])


def paused(broker: Broker, seconds: float) -> None:
    """The broker answers nothing for so long."""
    broker.pause()
    try:
        time.sleep(seconds)
    finally:
        broker.resume()
