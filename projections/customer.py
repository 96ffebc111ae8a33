"""The 360-degree document of each customer, one row a customer. A merge rewrites nothing: the survivor's view composes them.

The fold of one document is pure, so that the same function answers "as of" any past moment.
"""

from __future__ import annotations

from typing import Any

import orjson

from domain.address import Address, PostalAddress
from domain.customer import CompanyCorrected, CustomerCaptured, FormOfAddressSet, LanguageSet, NameCorrected
from domain.customer_addresses import AddressAdded, AddressCorrected, AddressRemoved
from domain.customer_emails import EmailAdded, EmailCorrected, EmailRemoved
from domain.customer_phones import PhoneAdded, PhoneCorrected, PhoneRemoved
from domain.email import Email, EmailAddress
from domain.external_id import ExternalId
from domain.person_name import PersonName
from domain.phone import Phone, PhoneNumber
from projections.batch import Batch, Projection, Recorded, is_customers
from projections.tables import Column, Table, Tables, document

Document = dict[str, Any]

CUSTOMER_DOCUMENT = Table(
    "customer",
    (
        Column("customer", "uuid"),
        Column("version", "integer NOT NULL"),
        Column("captured_at", "timestamptz"),
        Column("document", "text NOT NULL"),  # JSON with sorted keys
    ),
    key=("customer",),
)


def fold(batch: Batch, tables: Tables) -> None:
    """One row a customer; a row depends on its own stream alone."""
    events = [recorded for recorded in batch if is_customers(recorded)]
    rows = tables[CUSTOMER_DOCUMENT].load({(recorded.stream,) for recorded in events})
    documents: dict[Any, Document] = {key: orjson.loads(row["document"]) for key, row in rows.items()}
    for recorded in events:
        key = (recorded.stream,)
        documents[key] = evolve(documents.get(key, {}), recorded)
        rows[key] = {"customer": recorded.stream, "version": recorded.version, "captured_at": rows.get(key, {}).get("captured_at")}
        if isinstance(recorded.event, CustomerCaptured):
            rows[key]["captured_at"] = recorded.occurred_at
    tables[CUSTOMER_DOCUMENT].store([{**row, "document": document(documents[key])} for key, row in rows.items()])


def evolve(before: Document, recorded: Recorded) -> Document:
    """The document after one event. Pure."""
    after = {**before, **_change(before, recorded)}
    after["version"] = recorded.version
    after["changed_at"] = recorded.occurred_at.isoformat()
    if recorded.erased:
        after["erased"] = True
    return after


def _change(before: Document, recorded: Recorded) -> Document:
    match recorded.event:
        case CustomerCaptured() as captured:
            return _captured(captured, recorded)
        case NameCorrected(name=name):
            return {"name": _name(name)}
        case CompanyCorrected(company=company):
            return {"company": company}
        case LanguageSet(language=language):
            return {"language": language}
        case FormOfAddressSet(form_of_address=form):
            return {"form_of_address": form}
        case PhoneAdded() | PhoneCorrected() | PhoneRemoved():
            return {"phones": _phones(before.get("phones", []), recorded.event)}
        case EmailAdded() | EmailCorrected() | EmailRemoved():
            return {"emails": _emails(before.get("emails", []), recorded.event)}
        case AddressAdded() | AddressCorrected() | AddressRemoved():
            return {"addresses": _addresses(before.get("addresses", []), recorded.event)}
        case _:
            return {}


def _captured(event: CustomerCaptured, recorded: Recorded) -> Document:
    return {
        "captured_at": recorded.occurred_at.isoformat(),
        "captured_by": recorded.actor,
        "external_id": _external_id(event.external_id),
        "company": event.company,
        "name": _name(event.name),
        "language": event.language,
        "form_of_address": event.form_of_address,
        "phones": [_phone(phone) for phone in event.phones],
        "emails": [_email(email) for email in event.emails],
        "addresses": [_address(address) for address in event.addresses],
    }


def _external_id(external_id: ExternalId | None) -> Document | None:
    return None if external_id is None else {"source": external_id.source, "id": external_id.id}


def _name(name: PersonName | None) -> Document | None:
    return None if name is None else {"given": name.given, "family": name.family, "text": name.text}


def _phone(phone: Phone) -> Document:
    return {
        "key": phone.key,
        "number": phone.number.e164,
        "written": phone.number.raw,
        "extension": phone.number.extension,
        "kind": str(phone.kind),
        "label": phone.label,
        "since": phone.since.isoformat() if phone.since else None,
    }


def _email(email: Email) -> Document:
    return {
        "key": email.key,
        "address": email.address.address,
        "label": email.label,
        "since": email.since.isoformat() if email.since else None,
    }


def _address(address: Address) -> Document:
    postal: PostalAddress = address.address
    return {
        "key": address.key,
        "lines": list(postal.lines),
        "postal_code": postal.postal_code,
        "city": postal.city,
        "region": postal.region,
        "country": postal.country,
        "label": address.label,
        "since": address.since.isoformat() if address.since else None,
    }


def _phones(held: list[Document], event: PhoneAdded | PhoneCorrected | PhoneRemoved) -> list[Document]:
    match event:
        case PhoneAdded(phone=Phone() as phone):
            return _put(held, phone.key, _phone(phone))
        case PhoneCorrected(was=PhoneNumber() as was, phone=Phone() as phone):
            return _put(held, was.key, _phone(phone))
        case PhoneRemoved(number=PhoneNumber() as number):
            return _without(held, number.key)
        case _:
            return held


def _emails(held: list[Document], event: EmailAdded | EmailCorrected | EmailRemoved) -> list[Document]:
    match event:
        case EmailAdded(email=Email() as email):
            return _put(held, email.key, _email(email))
        case EmailCorrected(was=EmailAddress() as was, email=Email() as email):
            return _put(held, was.key, _email(email))
        case EmailRemoved(address=EmailAddress() as address):
            return _without(held, address.key)
        case _:
            return held


def _addresses(held: list[Document], event: AddressAdded | AddressCorrected | AddressRemoved) -> list[Document]:
    match event:
        case AddressAdded(address=Address() as address):
            return _put(held, address.key, _address(address))
        case AddressCorrected(was=PostalAddress() as was, address=Address() as address):
            return _put(held, was.key, _address(address))
        case AddressRemoved(postal_address=PostalAddress() as address):
            return _without(held, address.key)
        case _:
            return held


def _put(held: list[Document], key: str, item: Document) -> list[Document]:
    """The item in the place of the one with this key, or at the end."""
    if any(one["key"] == key for one in held):
        return [item if one["key"] == key else one for one in held]
    return [*held, item]


def _without(held: list[Document], key: str) -> list[Document]:
    return [one for one in held if one["key"] != key]


CUSTOMER = Projection("customer", 2, (CUSTOMER_DOCUMENT,), ("customer.",), fold, topics="d", redacts=((CUSTOMER_DOCUMENT, "customer"),))
