"""Histories that could have happened, over every type of event: what the law of order is tested with.

Few customers, numbers and orders, so that things meet: numbers pass from one to another, orders are withdrawn and recorded anew,
decisions come before the facts that they are about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from domain import held
from domain.address import Address, PostalAddress
from domain.customer import CompanyCorrected, CustomerCaptured, FormOfAddressSet, LanguageSet, NameCorrected
from domain.customer_addresses import AddressAdded, AddressCorrected, AddressRemoved
from domain.customer_emails import EmailAdded, EmailCorrected, EmailRemoved
from domain.customer_phones import PhoneAdded, PhoneCorrected, PhoneRemoved
from domain.email import Email, EmailAddress
from domain.event_types import BY_CLASS
from domain.external_id import ExternalId
from domain.fact import Candidate, FactWithdrawn, Match, MatchHow, Report
from domain.ids import POINTERS
from domain.interaction import InteractionAttributed, InteractionDetached
from domain.money import Money
from domain.person_name import PersonName
from domain.phone import Phone, PhoneKind, PhoneNumber
from domain.pointer import CustomerMerged, CustomerUnmerged, ExternalIdLinked, ExternalIdUnlinked
from domain.purchase import PurchaseLine, PurchaseMade, PurchaseReturned
from infra.codec.events import owner_of
from infra.log.partition import partition_of
from projections.batch import Recorded

# Without shrinking, which takes minutes here: add Phase.shrink when a counterexample is too long to read.
QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
START = datetime(2024, 2, 28, 22, tzinfo=UTC)
PARTITIONS = {"d": 2, "f": 3}
EXTERNAL_IDS = [ExternalId("shop", "1"), ExternalId("shop", "2"), ExternalId("erp", "ß\\N:1")]
CUSTOMERS = [*(external_id.customer for external_id in EXTERNAL_IDS[:2]), UUID(int=7), UUID(int=8)]
SUBJECTS = ["order 1", "order\\2", "order ß3"]
FACT_IDS = ["1", "2"]

TIMES = [START + timedelta(days=days, microseconds=days % 3) for days in (0, 1, 1, 2, 5, 400, -9000)]
REASONS = [None, "said so", "tab\there"]
DAYS = [None, date(2023, 1, 1), date(2024, 2, 29)]
NUMBERS = [
    PhoneNumber("+40211234567"),
    PhoneNumber("+40211234567", extension="12"),
    PhoneNumber("+40721234567", "0721 234 567"),
    PhoneNumber("+4912"),
]
EMAILS = [EmailAddress("Ana@example.com"), EmailAddress("ana@example.com"), EmailAddress("info@straße.example")]
POSTAL_ADDRESSES = [PostalAddress(("Str. Lungă 1",), "010101", "București"), PostalAddress(city="Cluj", country="RO")]
NAMES = [None, PersonName("Ana", "Pop"), PersonName(full="Ion \\N Ionescu")]
COMPANIES = [None, "ACME", "Straße & Söhne\\"]
LANGUAGES = [None, "ro", "pt-BR"]
FORMS_OF_ADDRESS = [None, "Frau Dr. Weiß"]
AMOUNTS = ["0", "12.30", "-12.3", "0.000000000000000001", "999999999999999999.99", "20.020", "1E+3", "7", "0.001", "-0.10"]
BATCHES = [None, "batch 1"]


def phone(r: Random) -> Phone:
    return Phone(r.choice(NUMBERS), r.choice([*PhoneKind]), r.choice([None, "office"]), r.choice(DAYS))


def email(r: Random) -> Email:
    return Email(r.choice(EMAILS), r.choice([None, "work"]), r.choice(DAYS))


def address(r: Random) -> Address:
    return Address(r.choice(POSTAL_ADDRESSES), None, r.choice(DAYS))


def report(r: Random) -> Report:
    return Report("shop", r.choice(SUBJECTS), r.choice(FACT_IDS), r.choice(BATCHES))


def match(r: Random) -> Match:
    shared = (Candidate(CUSTOMERS[0], MatchHow.SHARED_LINE), Candidate(CUSTOMERS[2], MatchHow.SHARED_LINE))
    found = Match(r.choice(CUSTOMERS), r.choice([MatchHow.EXTERNAL_ID, MatchHow.DIRECT_LINE]))
    return r.choice([Match(), Match(None, MatchHow.SHARED_LINE, shared), found, Match(CUSTOMERS[0], MatchHow.ID)])


def captured(r: Random) -> CustomerCaptured:
    return CustomerCaptured(
        r.choice([None, *EXTERNAL_IDS]), r.choice(COMPANIES), r.choice(LANGUAGES), r.choice(NAMES),
        held.unique(phone(r) for _ in range(r.randrange(3))), held.unique(email(r) for _ in range(r.randrange(3))),
        held.unique(address(r) for _ in range(r.randrange(2))), r.choice(FORMS_OF_ADDRESS),
    )  # fmt: skip


def purchase(cls: type, r: Random) -> Any:
    """A purchase or a return; now and then an adjustment, with lines, a number or neither."""
    currency = r.choice(["EUR", "EUR", "RON"])
    lines = r.choice([(), (PurchaseLine(Decimal(2), Money(Decimal("1.50"), currency), "A-1"),)])
    reason = r.choice([None, None, "adjustment", "damaged"])
    total = Money(Decimal(r.choice(AMOUNTS)), currency)
    return cls(report(r), match(r), total, lines, reason=reason, phone=r.choice([None, NUMBERS[2]]))


EVENTS: Mapping[type, Callable[[Random], Any]] = {
    CustomerCaptured: captured,
    NameCorrected: lambda r: NameCorrected(r.choice(NAMES), r.choice(REASONS)),
    CompanyCorrected: lambda r: CompanyCorrected(r.choice(COMPANIES), r.choice(REASONS)),
    LanguageSet: lambda r: LanguageSet(r.choice(LANGUAGES), r.choice(REASONS)),
    FormOfAddressSet: lambda r: FormOfAddressSet(r.choice(FORMS_OF_ADDRESS), r.choice(REASONS)),
    PhoneAdded: lambda r: PhoneAdded(phone(r), r.choice(REASONS)),
    PhoneCorrected: lambda r: PhoneCorrected(r.choice(NUMBERS), phone(r), r.choice(REASONS)),
    PhoneRemoved: lambda r: PhoneRemoved(r.choice(NUMBERS), r.choice(DAYS), r.choice(REASONS)),
    EmailAdded: lambda r: EmailAdded(email(r), r.choice(REASONS)),
    EmailCorrected: lambda r: EmailCorrected(r.choice(EMAILS), email(r), r.choice(REASONS)),
    EmailRemoved: lambda r: EmailRemoved(r.choice(EMAILS), r.choice(DAYS), r.choice(REASONS)),
    AddressAdded: lambda r: AddressAdded(address(r), r.choice(REASONS)),
    AddressCorrected: lambda r: AddressCorrected(r.choice(POSTAL_ADDRESSES), address(r), r.choice(REASONS)),
    AddressRemoved: lambda r: AddressRemoved(r.choice(POSTAL_ADDRESSES), r.choice(DAYS), r.choice(REASONS)),
    ExternalIdLinked: lambda r: ExternalIdLinked(r.choice(EXTERNAL_IDS), r.choice(CUSTOMERS), r.choice(REASONS)),
    ExternalIdUnlinked: lambda r: ExternalIdUnlinked(r.choice(EXTERNAL_IDS), r.choice(CUSTOMERS), r.choice(REASONS)),
    CustomerMerged: lambda r: CustomerMerged(r.choice(CUSTOMERS), r.choice(REASONS)),
    CustomerUnmerged: lambda r: CustomerUnmerged(r.choice(CUSTOMERS), r.choice(REASONS)),
    PurchaseMade: partial(purchase, PurchaseMade),
    PurchaseReturned: partial(purchase, PurchaseReturned),
    FactWithdrawn: lambda r: FactWithdrawn(r.choice(BATCHES), r.choice(REASONS)),
    InteractionAttributed: lambda r: InteractionAttributed(r.choice(CUSTOMERS), r.choice([None, MatchHow.EMAIL]), r.choice(REASONS)),
    InteractionDetached: lambda r: InteractionDetached(r.choice(REASONS)),
}
"""How an event of each type is made. `test_law_of_order.py` fails for a type that is missing here."""

OFTEN = [*[PurchaseMade] * 6, *[PurchaseReturned] * 2, *[FactWithdrawn] * 3, InteractionAttributed, PhoneAdded]


@dataclass(frozen=True)
class Step:
    """One event on its way into a history: what, about whom or what, when, and whether in the commit before."""

    event: Any
    customer: UUID
    report: Report
    at: datetime
    together: bool
    astray: str | None = None
    """A mistaken or hostile writer put it into the other topic, or under another key."""


def step(cls: type, seed: int) -> Step:
    """Few draws and a seed: a history of some length is drawn in no time, and still shrinks to the steps that matter."""
    r = Random(seed)
    astray = r.choice([*[None] * 20, "topic", "key"])
    return Step(EVENTS[cls](r), r.choice(CUSTOMERS), report(r), r.choice(TIMES), r.random() < 0.5, astray)


steps = st.builds(step, st.sampled_from([*EVENTS, *OFTEN]), st.integers(0, 10**9))


def place_of(step: Step) -> tuple[str, UUID, UUID]:
    """(topic, key, stream) of the step's event."""
    topic, key, stream = _right_place(step)
    if step.astray == "topic":
        topic = "f" if topic == "d" else "d"
    return topic, CUSTOMERS[2] if step.astray == "key" else key, stream


def _right_place(step: Step) -> tuple[str, UUID, UUID]:
    match step.event:
        case ExternalIdLinked(external_id=external_id) | ExternalIdUnlinked(external_id=external_id):
            return "d", POINTERS, external_id.customer
        case CustomerMerged() | CustomerUnmerged():
            return "d", POINTERS, step.customer
        case PurchaseMade(report=report) | PurchaseReturned(report=report):
            return "f", report.key, report.stream
        case FactWithdrawn():
            return "f", step.report.key, step.report.stream
        case InteractionAttributed() | InteractionDetached():
            return "f", step.report.key, step.report.key
        case _:
            return "d", step.customer, step.customer


History = Mapping[str, Sequence[Recorded]]
"""The events of each partition (`d1`), in order."""


@st.composite
def histories(draw: st.DrawFn, most: int = 30) -> History:
    """A history of up to `most` events after the captures, in which some people and interactions were erased."""
    erased = draw(st.sets(st.sampled_from([*CUSTOMERS, *(Report("shop", subject, "1").key for subject in SUBJECTS)]), max_size=2))
    first = [replace(step(CustomerCaptured, draw(st.integers(0, 10**9))), customer=customer) for customer in CUSTOMERS]
    size = draw(st.sampled_from([most // 2, most]))
    return recorded([*first, *draw(st.lists(steps, min_size=size, max_size=size))], erased)


def recorded(happened: Iterable[Step], erased: Iterable[UUID] = ()) -> History:
    """The steps as the index would hold them. What cannot be is left out: a withdrawal of what does not stand, a second recording
    of what stands, anything but a capture as the first of a customer."""
    owners = set(erased)
    partitions: dict[str, list[Recorded]] = {f"{letter}{p}": [] for letter, count in PARTITIONS.items() for p in range(count)}
    versions: Counter[tuple[str, UUID, UUID]] = Counter()
    for step in happened:
        topic, key, stream = place_of(step)
        version = versions[topic, key, stream] + 1
        if not _can_be(step.event, version):
            continue
        versions[topic, key, stream] = version
        number = partition_of(str(key).encode(), PARTITIONS[topic])
        following = partitions[f"{topic}{number}"]
        offset, place = _next_place(following, key, together=step.together)
        event, gone = _erased(step.event) if owner_of(BY_CLASS[type(step.event)], key, stream) in owners else (step.event, frozenset())
        following.append(_recorded(step, (topic, number, offset, place), (key, stream, version), event, gone))
    return partitions


def _recorded(
    step: Step, position: tuple[str, int, int, int], stream: tuple[UUID, UUID, int], event: Any, gone: frozenset[str]
) -> Recorded:
    log_time = START + timedelta(minutes=position[2])
    name = BY_CLASS[type(event)].name
    return Recorded(*stream, *position, name, event, gone, step.at, None, log_time, log_time, "user:ana")


def _can_be(event: Any, version: int) -> bool:
    match event:
        case CustomerCaptured():
            return version == 1
        case PurchaseMade() | PurchaseReturned():
            return version % 2 == 1
        case FactWithdrawn():
            return version % 2 == 0
        case _ if BY_CLASS[type(event)].name.startswith("customer.") and not isinstance(event, CustomerMerged | CustomerUnmerged):
            return version > 1
        case _:
            return True


def _next_place(following: Sequence[Recorded], key: UUID, *, together: bool) -> tuple[int, int]:
    if not following:
        return 0, 0
    last = following[-1]
    return (last.log_offset, last.place + 1) if together and last.key == key else (last.log_offset + 1, 0)


def _erased(event: Any) -> tuple[Any, frozenset[str]]:
    """The event as it reads after its owner was erased, and the fields that this has emptied."""
    gone = {
        field.name: field.default
        for field in fields(event)
        if field.metadata.get("personal") and field.default is not MISSING and getattr(event, field.name) != field.default
    }
    return replace(event, **gone), frozenset(gone)


def cut(history: History, r: Random) -> History:
    """The history with some of its streams cut short."""
    streams = sorted({(event.key, event.stream) for events in history.values() for event in events})
    last = {stream: r.randrange(4) for stream in streams if r.random() < 0.2}
    return {name: [e for e in events if e.version <= last.get((e.key, e.stream), 999)] for name, events in history.items()}


def interleaved(history: History, r: Random) -> list[list[Recorded]]:
    """Batches of random sizes that keep the order of each partition, and no other."""
    turns = [name for name, events in history.items() for _ in events]
    r.shuffle(turns)
    queues = {name: iter(events) for name, events in history.items()}
    events = [next(queues[name]) for name in turns]
    largest = r.choice([1, 3, 10, 100])
    batches: list[list[Recorded]] = []
    while events:
        size = r.randint(1, largest)
        batches.append(events[:size])
        events = events[size:]
    return batches


def in_one_batch(history: History) -> list[list[Recorded]]:
    """Partition after partition, all at once: how an empty read model catches up."""
    return [[event for events in history.values() for event in events]]
