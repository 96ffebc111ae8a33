"""Who owns which number, address and external id, since when and until when; and the pointers between customers.

A row depends on its own stream alone, so the fold commutes across streams.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from domain.customer import CustomerCaptured
from domain.customer_emails import EmailAdded, EmailCorrected, EmailRemoved
from domain.customer_phones import PhoneAdded, PhoneCorrected, PhoneRemoved
from domain.email import Email
from domain.external_id import ExternalId
from domain.ids import POINTERS
from domain.phone import Phone
from domain.pointer import CustomerMerged, CustomerUnmerged, ExternalIdLinked, ExternalIdUnlinked
from projections.batch import Batch, Projection, Recorded
from projections.tables import Column, Row, Rows, Table, Tables

LAST_DIGITS = 7
"""Two numbers with so many last digits in common are maybe one."""

HANDLE = Table(
    "identity_handle",
    (
        Column("customer", "uuid"),
        Column("kind", "text"),  # phone, email, external_id
        Column("value", "text"),  # E.164; the address's key; SOURCE:ID
        Column("since_version", "integer"),  # of the customer's stream: the event that gave it
        Column("extension", "text"),
        Column("line", "text"),  # direct_line, shared_line, mobile, fax
        Column("label", "text"),
        Column("since", "timestamptz NOT NULL"),
        Column("until", "timestamptz"),
        Column("last_digits", "text"),
    ),
    key=("customer", "kind", "value", "since_version"),
    indexes=("(kind, value)", "(last_digits) WHERE last_digits IS NOT NULL AND until IS NULL"),
)
POINTER = Table(
    "identity_pointer",
    (
        Column("customer", "uuid"),
        Column("target", "uuid NOT NULL"),
        Column("kind", "text NOT NULL"),  # link, merge
        Column("source", "text"),
        Column("external_id", "text"),
        Column("since", "timestamptz NOT NULL"),
    ),
    key=("customer",),
    indexes=("(target)",),
)


def fold(batch: Batch, tables: Tables) -> None:
    """Handles by customer, and pointers."""
    _fold_handles([recorded for recorded in batch if recorded.key != POINTERS], tables[HANDLE])
    _fold_pointers([recorded for recorded in batch if recorded.key == POINTERS], tables[POINTER])


def _fold_handles(events: list[Recorded], rows: Rows) -> None:
    held = rows.load_by(("customer",), {(recorded.stream,) for recorded in events})
    gone = set()
    for recorded in events:
        for was, now in _changes(recorded):
            if was is not None:
                _end(held, recorded, *was)
            if now is not None:
                held[recorded.stream, now["kind"], now["value"], recorded.version] = now
        if recorded.erased:
            # What can no longer be read must not be findable by what was read before.
            gone |= {key for key in held if key[0] == recorded.stream and key[1] != "external_id"}
    rows.store((row for key, row in held.items() if key not in gone), gone=gone)


Was = tuple[str, str, str | None, date | None]
"""(kind, value, extension, last day)"""


def _changes(recorded: Recorded) -> Iterator[tuple[Was | None, Row | None]]:
    """What ends and what begins with this event."""
    match recorded.event:
        case CustomerCaptured(external_id=external_id, phones=phones, emails=emails):
            yield from ((None, _phone(recorded, phone)) for phone in phones)
            yield from ((None, _email(recorded, email)) for email in emails)
            if external_id is not None:
                yield None, _row(recorded, "external_id", external_value(external_id))
        case PhoneAdded(phone=Phone() as phone):
            yield None, _phone(recorded, phone)
        case PhoneCorrected(was=was, phone=phone) if was and phone:
            yield ("phone", was.e164, was.extension, None), _phone(recorded, phone)
        case PhoneRemoved(number=number, until=until) if number:
            yield ("phone", number.e164, number.extension, until), None
        case EmailAdded(email=Email() as email):
            yield None, _email(recorded, email)
        case EmailCorrected(was=was, email=email) if was and email:
            yield ("email", was.key, None, None), _email(recorded, email)
        case EmailRemoved(address=address, until=until) if address:
            yield ("email", address.key, None, until), None
        case _:
            return


def _row(recorded: Recorded, kind: str, value: str, **more: Any) -> Row:
    row = dict.fromkeys(HANDLE.names)
    since_on: date | None = more.pop("since_on", None)
    since = datetime.combine(since_on, time(), UTC) if since_on else recorded.occurred_at
    return {**row, "customer": recorded.stream, "kind": kind, "value": value, "since_version": recorded.version, "since": since, **more}


def _phone(recorded: Recorded, phone: Phone) -> Row:
    number = phone.number
    last_digits = number.last_digits(LAST_DIGITS)
    return _row(
        recorded, "phone", number.e164, extension=number.extension, line=str(phone.kind), label=phone.label, since_on=phone.since,
        last_digits=last_digits if len(last_digits) == LAST_DIGITS else None,
    )  # fmt: skip


def _email(recorded: Recorded, email: Email) -> Row:
    return _row(recorded, "email", email.address.key, label=email.label, since_on=email.since)


def external_value(external_id: ExternalId) -> str:
    """SOURCE:ID, as the command line takes it."""
    return f"{external_id.source}:{external_id.id}"


def _end(held: dict[tuple[Any, ...], Row], recorded: Recorded, kind: str, value: str, extension: str | None, last_day: date | None) -> None:
    """The one that is still theirs ends."""
    until = datetime.combine(last_day, time.max, UTC) if last_day else recorded.occurred_at
    for key, row in held.items():
        if key[:3] == (recorded.stream, kind, value) and row["extension"] == extension and row["until"] is None:
            held[key] = {**row, "until": until}
            return


def _fold_pointers(events: list[Recorded], rows: Rows) -> None:
    pointers: dict[tuple[UUID], Row | None] = dict(rows.load({(recorded.stream,) for recorded in events}))
    for recorded in events:
        pointers[recorded.stream,] = _pointer(recorded, pointers.get((recorded.stream,)))
    rows.store((row for row in pointers.values() if row is not None), gone=[key for key, row in pointers.items() if row is None])


def _pointer(recorded: Recorded, before: Row | None) -> Row | None:
    match recorded.event:
        case ExternalIdLinked(external_id=external_id, customer=customer):
            return {
                "customer": recorded.stream, "target": customer, "kind": "link", "source": external_id.source,
                "external_id": external_id.id, "since": recorded.occurred_at,
            }  # fmt: skip
        case CustomerMerged(into=into):
            return {
                "customer": recorded.stream, "target": into, "kind": "merge", "source": None, "external_id": None,
                "since": recorded.occurred_at,
            }  # fmt: skip
        case ExternalIdUnlinked() | CustomerUnmerged():
            return None
        case _:
            return before


IDENTITY = Projection("identity", 1, (HANDLE, POINTER), ("customer.", "external_id."), fold)
