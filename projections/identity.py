"""Who has which number and e-mail address, and which id is which customer: the tables and their fold. Queries: `candidates.py`.

A row depends on its own stream alone, so the fold commutes across streams. Nothing is overwritten: what ended keeps its row, so
that a question about the past finds who it was then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.customer import CustomerCaptured
from domain.customer_emails import EmailAdded, EmailCorrected, EmailRemoved
from domain.customer_phones import PhoneAdded, PhoneCorrected, PhoneRemoved
from domain.email import Email, EmailAddress
from domain.ids import POINTERS
from domain.phone import Phone, PhoneNumber
from domain.pointer import CustomerMerged, CustomerUnmerged, ExternalIdLinked, ExternalIdUnlinked
from projections.batch import Batch, Projection, Recorded, is_customers
from projections.tables import Column, Row, Rows, Table, Tables

LAST_DIGITS = 7
"""Two numbers with so many last digits in common are maybe one."""

KNOWN = Table("identity_known", (Column("customer", "uuid"), Column("captured_at", "timestamptz NOT NULL")), key=("customer",))
HANDLE = Table(
    "identity_handle",
    (
        Column("customer", "uuid"),
        Column("kind", "text"),  # phone, email
        Column("value", "text"),  # E.164; the address's key
        Column("extension", "text"),  # of a number; empty: none
        Column("since_version", "integer"),  # of the customer's stream: the event that gave it
        Column("line", "text"),  # direct_line, shared_line, mobile, fax
        Column("label", "text"),
        Column("since", "date"),  # the first day on which it was theirs; null: nobody said
        Column("until", "date"),  # the last day; null: nobody said, or it is theirs still
        Column("given_at", "timestamptz NOT NULL"),
        Column("ended_at", "timestamptz"),  # when it was corrected or removed; null: it stands
        Column("last_digits", "text"),
    ),
    key=("customer", "kind", "value", "extension", "since_version"),
    indexes=("(kind, value)", "(last_digits) WHERE last_digits IS NOT NULL"),
)
POINTER = Table(
    "identity_pointer",
    (
        Column("customer", "uuid"),  # the id that points
        Column("since_version", "integer"),
        Column("target", "uuid NOT NULL"),
        Column("kind", "text NOT NULL"),  # link, merge
        Column("source", "text"),  # of a link: the external id
        Column("external_id", "text"),
        Column("given_at", "timestamptz NOT NULL"),
        Column("ended_at", "timestamptz"),
    ),
    key=("customer", "since_version"),
    indexes=("(target)",),
)


def fold(batch: Batch, tables: Tables) -> None:
    """Customers, what they are known by, and pointers."""
    customers = [recorded for recorded in batch if is_customers(recorded)]
    tables[KNOWN].store(
        {"customer": recorded.stream, "captured_at": recorded.occurred_at}
        for recorded in customers
        if isinstance(recorded.event, CustomerCaptured)
    )
    _fold_handles(customers, tables[HANDLE])
    _fold_pointers([recorded for recorded in batch if recorded.key == POINTERS], tables[POINTER])


def _fold_handles(events: list[Recorded], rows: Rows) -> None:
    held = _by_customer(events, rows)
    for recorded in events:
        of_customer = held[recorded.stream]
        for ends, begins in _changes(recorded):
            if ends is not None:
                _end(of_customer, ends.name, recorded, ends.last_day)
            if begins is not None:
                _end(of_customer, _name_of(begins), recorded)
                of_customer.append(begins)
    rows.store(row for of_customer in held.values() for row in of_customer)


def _fold_pointers(events: list[Recorded], rows: Rows) -> None:
    pointers = _by_customer(events, rows)
    for recorded in events:
        begins = _pointer(recorded)
        if begins is not None or isinstance(recorded.event, ExternalIdUnlinked | CustomerUnmerged):
            for row in pointers[recorded.stream]:
                row["ended_at"] = row["ended_at"] or recorded.occurred_at
        if begins is not None:
            pointers[recorded.stream].append(begins)
    rows.store(row for of_customer in pointers.values() for row in of_customer)


def _by_customer(events: list[Recorded], rows: Rows) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = {recorded.stream: [] for recorded in events}
    for row in rows.load_by(("customer",), {(customer,) for customer in found}).values():
        found[row["customer"]].append(dict(row))
    return found


Name = tuple[str, str, str]
"""(kind, value, extension): what tells one number or address of a customer from the others."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What ends with an event, and the last day on which it was theirs, where somebody said."""

    name: Name
    last_day: date | None = None


def _changes(recorded: Recorded) -> Iterator[tuple[Ends | None, Row | None]]:
    """What ends and what begins with this event. What an erasure left empty changes nothing."""
    match recorded.event:
        case CustomerCaptured(phones=phones, emails=emails):
            yield from ((None, _phone(recorded, phone)) for phone in phones)
            yield from ((None, _email(recorded, email)) for email in emails)
        case PhoneAdded(phone=Phone() as phone):
            yield None, _phone(recorded, phone)
        case PhoneCorrected(was=PhoneNumber() as number, phone=Phone() as phone):
            yield Ends(_of_number(number)), _phone(recorded, phone)
        case PhoneRemoved(number=PhoneNumber() as number, until=until):
            yield Ends(_of_number(number), until), None
        case EmailAdded(email=Email() as email):
            yield None, _email(recorded, email)
        case EmailCorrected(was=EmailAddress() as address, email=Email() as email):
            yield Ends(_of_address(address)), _email(recorded, email)
        case EmailRemoved(address=EmailAddress() as address, until=until):
            yield Ends(_of_address(address), until), None
        case _:
            return


def _of_number(number: PhoneNumber) -> Name:
    return "phone", number.e164, number.extension or ""


def _of_address(address: EmailAddress) -> Name:
    return "email", address.key, ""


def _name_of(row: Row) -> Name:
    return row["kind"], row["value"], row["extension"]


def _end(rows: list[Row], name: Name, recorded: Recorded, last_day: date | None = None) -> None:
    """The one of this name that still stands ends."""
    for row in rows:
        if row["ended_at"] is None and _name_of(row) == name:
            row.update(ended_at=recorded.occurred_at, until=last_day)


def _phone(recorded: Recorded, phone: Phone) -> Row:
    last_digits = phone.number.last_digits(LAST_DIGITS)
    row = _row(recorded, _of_number(phone.number), phone.label, phone.since)
    return {**row, "line": str(phone.kind), "last_digits": last_digits if len(last_digits) == LAST_DIGITS else None}


def _email(recorded: Recorded, email: Email) -> Row:
    return _row(recorded, _of_address(email.address), email.label, email.since)


def _row(recorded: Recorded, name: Name, label: str | None, since: date | None) -> Row:
    kind, value, extension = name
    return {
        **dict.fromkeys(HANDLE.names),
        "customer": recorded.stream,
        "kind": kind,
        "value": value,
        "extension": extension,
        "since_version": recorded.version,
        "label": label,
        "since": since,
        "given_at": recorded.occurred_at,
    }


def _pointer(recorded: Recorded) -> Row | None:
    """The pointer that this event sets, if it sets one."""
    row = {
        **dict.fromkeys(POINTER.names),
        "customer": recorded.stream,
        "since_version": recorded.version,
        "given_at": recorded.occurred_at,
    }
    match recorded.event:
        case ExternalIdLinked(external_id=external_id, customer=customer):
            return {**row, "target": customer, "kind": "link", "source": external_id.source, "external_id": external_id.id}
        case CustomerMerged(into=into):
            return {**row, "target": into, "kind": "merge"}
        case _:
            return None


IDENTITY = Projection(
    "identity", 2, (KNOWN, HANDLE, POINTER), ("customer.", "external_id."), fold, topics="d",
    redacts=((KNOWN, "customer"), (HANDLE, "customer")),
)  # fmt: skip
