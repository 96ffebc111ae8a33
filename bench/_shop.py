"""One installation as the product runs it: the indexers and the projectors in processes of their own, the writers in ours."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from bench._timing import wait_until
from consumers.projecting.schema import reset
from domain.customer import CUSTOMER, CaptureCustomer, SetLanguage
from domain.external_id import ExternalId
from domain.inbound import InboundFact
from domain.person_name import PersonName
from domain.phone import Phone, PhoneNumber
from infra.cli.runtime import WORKERS, opened, start_worker, stop_workers
from infra.crm import Crm
from infra.facts import read_fact
from infra.lag import log_ends
from infra.log.contract import Topic
from infra.settings import Settings
from projections.batch import Projection
from projections.candidates import Asked
from projections.registry import PROJECTIONS
from projections.screen_pop import pop

ACTOR = "system:bench"
SOURCE = "shop"
WAIT_SECONDS = 600.0
AT_ONCE = 2000
"""So many facts in one append, as an import does."""

Ready = tuple[UUID, UUID, int, Any, datetime]
_processes = multiprocessing.get_context("spawn")
_runs = count(1)


def inbound(run: str, number: int) -> InboundFact:
    """A purchase of one line, by one of 1,000 customers."""
    line = {"sku": f"A-{number % 97}", "quantity": 2, "unit_price": {"amount": "12.30", "currency": "EUR"}}
    data = {"customer": {"external_id": str(number % 1000)}, "lines": [line]}
    return InboundFact("purchase.made", SOURCE, f"{run}-{number}", "1", datetime(2026, 1, 1, tzinfo=UTC), data)


def ready(run: str, amount: int) -> Iterator[Ready]:
    """Facts as a recorder takes them."""
    for number in range(amount):
        fact = read_fact(inbound(run, number), "GB")
        yield fact.report.key, fact.report.stream, 1, fact.event, fact.time


def phone_of(number: int) -> PhoneNumber:
    """The line that this customer calls from."""
    return PhoneNumber.parse(f"+4072{number:07}", "RO")


def record(crm: Crm, facts: Sequence[Ready]) -> None:
    """Append all of them; return when all are durable."""
    recorder = crm.facts(ACTOR)
    for start in range(0, len(facts), AT_ONCE):
        recorder.append(facts[start : start + AT_ONCE])


def import_facts(settings: Settings, run: str, amount: int) -> None:
    """The process of an import: reads each fact from its outside shape, and records it."""
    with Crm(settings) as crm:
        recorder = crm.facts(ACTOR)
        facts = ready(run, amount)
        while some := [fact for _, fact in zip(range(AT_ONCE), facts, strict=False)]:
            recorder.append(some)


class Shop:
    """Close it when done. Its customers are captured at the start."""

    def __init__(self, settings: Settings, customers: int) -> None:
        self.settings = settings
        self._stack = ExitStack()
        try:
            self.crm = self._stack.enter_context(opened(settings))
            self.workers = [start_worker(settings, arguments) for arguments in WORKERS]
            self._stack.callback(stop_workers, self.workers)
            self.customers = [ExternalId(SOURCE, str(number)).customer for number in range(customers)]
            self.crm.keyring.for_owners(self.customers)  # theirs exist, as those of customers who were written about before
            for number in range(customers):
                self._capture(number)
        except BaseException:
            self._stack.close()
            raise

    @property
    def projectors(self) -> subprocess.Popen[bytes]:
        """The process of the read models."""
        return self.workers[-1]

    def close(self) -> None:
        """End what was started."""
        self._stack.close()

    def set_language(self, number: int, turn: int) -> None:
        """A command without personal fields."""
        self._command(number, SetLanguage(_language(turn)))

    def set_language_with_reason(self, number: int, turn: int) -> None:
        """The same with a sealed field."""
        self._command(number, SetLanguage(_language(turn), reason=f"asked for it, call {turn}"))

    def capture_person(self, number: int) -> None:
        """Somebody new: the encryption key is durable, and read back, before the commit is appended."""
        external = ExternalId(SOURCE, f"person-{number}")
        name = PersonName.of("Ada", "Lovelace", None)
        self.crm.handle(CUSTOMER, CaptureCustomer(external, name=name), key=external.customer, actor=ACTOR)

    def pop(self, number: int) -> None:
        """Somebody calls: who it is, and all that the screen shows."""
        with self.crm.pool.transaction() as cursor:
            answer = pop(cursor, Asked(phone=phone_of(number % len(self.customers))))
        if answer.found is None or not answer.found.orders:
            raise AssertionError("a screen pop found nothing")

    def facts(self, amount: int) -> list[Ready]:
        """New facts, not yet recorded."""
        return list(ready(f"run{next(_runs)}", amount))

    def pour_beside(self, amount: int) -> Any:
        """A process that imports so many facts."""
        process = _processes.Process(target=import_facts, args=(self.settings, f"pour{next(_runs)}", amount), daemon=True)
        process.start()
        return process

    def wait_until_indexed(self) -> None:
        """Of all that is in the log now."""
        if not self.crm.wait_until_indexed(WAIT_SECONDS):
            raise TimeoutError("the index did not catch up")

    def wait_until_folded(self, projections: Sequence[Projection] = PROJECTIONS) -> None:
        """By these read models."""
        ends = log_ends(self.crm.log)
        wait_until(lambda: self._folded(projections, ends), WAIT_SECONDS, "the projectors")

    def rest_projectors(self) -> None:
        """Stop the read models' process where it stands."""
        os.kill(self.projectors.pid, signal.SIGSTOP)

    def wake_projectors(self) -> None:
        """Let it go on."""
        os.kill(self.projectors.pid, signal.SIGCONT)

    def reset(self, projection: Projection) -> int:
        """Begin this read model anew; how many records it has to fold."""
        with self.crm.pool.transaction() as cursor:
            reset(cursor, projection)
        return sum(log_ends(self.crm.log).values())

    def fact_bytes(self) -> int:
        """How long a fact's value is in the log."""
        with self.crm.log.reader(Topic.FACTS, dict.fromkeys(range(self.settings.fact_partitions), 0)) as reader:
            values = [len(record.value or b"") for record in reader.poll(10, 100)]
        return sum(values) // max(1, len(values))

    def _capture(self, number: int) -> None:
        external = ExternalId(SOURCE, str(number))
        captured = CaptureCustomer(external, company="Analytical Engines", phones=(Phone(phone_of(number)),))
        self.crm.handle(CUSTOMER, captured, key=external.customer, actor=ACTOR)

    def _command(self, number: int, command: SetLanguage) -> None:
        key = self.customers[number % len(self.customers)]
        outcome = self.crm.handle(CUSTOMER, command, key=key, actor=ACTOR)
        if outcome.position is None or outcome.open:
            raise AssertionError("a command was not accepted in time")

    def _folded(self, projections: Sequence[Projection], ends: dict[str, int]) -> bool:
        with self.crm.pool.transaction() as cursor:
            cursor.execute("SELECT projection, partition, next_offset FROM read.checkpoint")
            at = {(projection, partition): offset for projection, partition, offset in cursor.fetchall()}
        return all(at.get((projection.name, name), 0) >= end for projection in projections for name, end in ends.items())


def _language(turn: int) -> str:
    return ("en", "de", "ro", "fr", "hu")[turn % 5]
