"""Records an import in the log: customers as commands, facts in bulk. What is there already is known, however often a file comes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from consumers.importing.drafts import AddressDraft, CustomerDraft, EmailDraft, PhoneDraft
from consumers.importing.sink import Corrections, Outcome, Refused
from domain.address import Address, PostalAddress
from domain.customer import CUSTOMER, CaptureCustomer
from domain.decider import DomainError
from domain.email import Email, EmailAddress
from domain.external_id import ExternalId
from domain.fact import PENDING, MatchHow
from domain.inbound import InboundFact
from domain.person_name import PersonName
from domain.phone import Phone, PhoneKind, PhoneNumber
from infra.crm import Crm
from infra.facts import Fact, FactRecorder, read_fact
from infra.log.contract import LogUnreachable, Position, Topic
from projections.matching import owners

IN_FLIGHT = 24
"""Few decisions at once, so that colleagues do not wait behind an import."""
WAIT_SECONDS = 600.0
MATCH_SECONDS = 60.0
ACTOR = "system:operator"


@dataclass(frozen=True, slots=True)
class CheckedCustomer:
    """A customer ready to be captured."""

    id: UUID
    command: CaptureCustomer
    met_at: datetime | None


class Checks:
    """What needs no log: a dry run has nothing else."""

    def __init__(self, region: str) -> None:
        self.region = region

    def check(self, fact: InboundFact, /) -> Fact:
        """The fact as it would be recorded. Raises DomainError."""
        return read_fact(fact, self.region)

    def check_customer(self, draft: CustomerDraft, /) -> CheckedCustomer:
        """The customer as it would be captured. Raises DomainError."""
        external_id = ExternalId(draft.source, draft.external_id)
        region = draft.phone_region or self.region
        command = CaptureCustomer(
            external_id,
            draft.company,
            _name(draft),
            tuple(_phone(phone, region) for phone in draft.phones),
            tuple(_email(email) for email in draft.emails),
            tuple(_address(address) for address in draft.addresses),
            draft.language,
            draft.form_of_address,
        )
        return CheckedCustomer(external_id.customer, command, draft.met_at)


class LogSink(Checks):
    """The Sink of `crm import`."""

    def __init__(self, crm: Crm) -> None:
        super().__init__(crm.settings.region)
        self.crm = crm
        self._run: FactRecorder = crm.facts(ACTOR)
        self._caught_up = False
        self.unmatched = 0
        """Facts that name their customer by a number or an address which no customer has, or which several have."""

    def capture(self, customers: Sequence[CheckedCustomer], _batch: str, /) -> Sequence[Outcome]:
        """One command each, a few at a time."""
        self._catch_up()
        with self.crm.pool.transaction() as cursor:
            cursor.execute(
                "SELECT key FROM index.event WHERE key = ANY(%s) AND stream = key AND version = 1 AND topic = 'd'",
                ([one.id for one in customers],),
            )
            known = {row[0] for row in cursor.fetchall()}
        new = [one for one in customers if one.id not in known]
        self.crm.keyring.for_owners(one.id for one in new if _is_personal(one.command))
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            outcomes = dict(zip((one.id for one in new), pool.map(self._capture_one, new), strict=True))
        return [outcomes.get(one.id, "known") for one in customers]

    def _capture_one(self, customer: CheckedCustomer) -> Outcome:
        try:
            outcome = self.crm.handle(CUSTOMER, customer.command, key=customer.id, actor=ACTOR, at=customer.met_at)
        except DomainError as why:
            return Refused(str(why))
        except IntegrityError:
            return "known"
        if outcome.open:
            raise LogUnreachable("The log did not answer in time.")
        return "known" if outcome.position is None else "recorded"

    def record(self, facts: Sequence[Fact], batch: str, /) -> Sequence[Outcome]:
        """New facts at version 1, withdrawn ones anew over their withdrawal; the rest is known."""
        self._catch_up()
        versions = self._versions(facts)
        outcomes: list[Outcome] = ["known"] * len(facts)
        # odd: recorded; even: not yet, or withdrawn
        places = [number for number, fact in enumerate(facts) if versions.get((fact.report.key, fact.report.stream), 0) % 2 == 0]
        rows = []
        for fact in self._matched([facts[number] for number in places]):
            report = fact.report
            version = versions.get((report.key, report.stream), 0) + 1
            rows.append((report.key, report.stream, version, fact.in_batch(batch), fact.time))
        for number, answer in zip(places, self._run.append(rows), strict=True):
            outcomes[number] = "recorded" if isinstance(answer, Position) else self._too_large(answer)
        return outcomes

    def _matched(self, facts: list[Fact]) -> list[Fact]:
        """Those that name their customer by number or address alone are looked up, when all decisions so far have been folded;
        where that takes too long, they are recorded as pending."""
        asking = [fact for fact in facts if fact.event.match.how is MatchHow.NONE and (fact.event.phone or fact.event.email)]
        if not asking:
            return facts
        if not self._identity_is_current():
            return [fact.matched(PENDING) if fact in asking else fact for fact in facts]
        with self.crm.pool.transaction() as cursor:
            found = owners(
                cursor,
                [fact.event.phone for fact in asking if fact.event.phone],
                [fact.event.email for fact in asking if fact.event.email],
            )
        looked_up = {id(fact): fact.matched(found.match(fact.event.phone, fact.event.email)) for fact in asking}
        self.unmatched += sum(fact.event.match.customer is None for fact in looked_up.values())
        return [looked_up.get(id(fact), fact) for fact in facts]

    def _identity_is_current(self) -> bool:
        """Whether identity has folded every decision that is in the log now; waited for once in a while, since customers of this
        very import may be among them."""
        ends = {f"d{p}": end for p, end in self.crm.log.ends(Topic.DECISIONS).items()}
        end = time.monotonic() + MATCH_SECONDS
        while time.monotonic() < end:
            with self.crm.pool.transaction() as cursor:
                cursor.execute("SELECT partition, next_offset FROM read.checkpoint WHERE projection = 'identity'")
                at = dict(cursor.fetchall())
            if all(at.get(name, 0) >= offset for name, offset in ends.items()):
                return True
            time.sleep(0.05)
        return False

    def finish(self) -> Corrections:
        """Wait until all of it is indexed; count what proved to be known (another import was at the same facts)."""
        if not self.crm.progress.wait_for(self._run.last.values(), WAIT_SECONDS):
            raise LogUnreachable("Everything is recorded, but the index has not caught up; look at `crm lag`.")
        with self.crm.pool.transaction() as cursor:
            cursor.execute(
                "SELECT count(*) FROM index.refused WHERE commit_id BETWEEN %s AND %s", (self._run.first_commit, self._run.last_commit)
            )
            row = cursor.fetchone()
        return Corrections(facts_known=row[0] if row else 0)

    def _catch_up(self) -> None:
        """Once: what an earlier run left in the log must be known before we ask what is known."""
        if not self._caught_up:
            if not self.crm.wait_until_indexed(WAIT_SECONDS):
                raise LogUnreachable("The index does not catch up with the log; look at `crm lag`.")
            self._caught_up = True

    def _versions(self, facts: Sequence[Fact]) -> dict[tuple[UUID, UUID], int]:
        reports = [fact.report for fact in facts]
        with self.crm.pool.transaction() as cursor:
            cursor.execute(
                """SELECT t.key, t.stream, e.version FROM unnest(%s::uuid[], %s::uuid[]) t(key, stream)
                   CROSS JOIN LATERAL (SELECT version FROM index.event e WHERE e.key = t.key AND e.stream = t.stream AND e.topic = 'f'
                                       ORDER BY version DESC LIMIT 1) e""",
                ([report.key for report in reports], [report.stream for report in reports]),
            )
            return {(key, stream): version for key, stream, version in cursor.fetchall()}

    def _too_large(self, size: int) -> Refused:
        return Refused(f"the event is {size} bytes in the log, and the limit is {self.crm.log.max_record_bytes}; split it")


def _is_personal(command: CaptureCustomer) -> bool:
    return bool(command.name or command.phones or command.emails or command.addresses or command.form_of_address)


def _name(draft: CustomerDraft) -> PersonName | None:
    parts = (draft.given_name, draft.family_name, draft.name)
    return PersonName.of(*parts) if any(parts) else None


def _phone(draft: PhoneDraft, region: str) -> Phone:
    kind = PhoneKind(draft.kind) if draft.kind else PhoneKind.DIRECT_LINE
    return Phone(PhoneNumber.parse(draft.number, region), kind, draft.label)


def _email(draft: EmailDraft) -> Email:
    return Email(EmailAddress.parse(draft.address), draft.label)


def _address(draft: AddressDraft) -> Address:
    return Address(PostalAddress.of(draft.lines, draft.postal_code, draft.city, draft.region, draft.country), draft.label)
