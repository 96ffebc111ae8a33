"""Two customers with everything personal about them, others with nothing, and how tests make, change and read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from domain.customer import CUSTOMER, CaptureCustomer, CorrectCompany, Customer
from domain.email import Email, EmailAddress
from domain.external_id import ExternalId
from domain.inbound import InboundFact
from domain.person_name import PersonName
from domain.phone import Phone, PhoneNumber
from infra.crm import Crm
from infra.facts import Fact, read_fact
from infra.handler import Outcome
from tests.infra.crm import ACTOR, Shop

ANA, BOB = ExternalId("shop", "ana"), ExternalId("shop", "bob")
CAPTURE = {
    ANA: CaptureCustomer(
        ANA,
        company="Zimbru SRL",
        name=PersonName.of("Ana-Zoe", "Ștefănescu", None),
        phones=(Phone(PhoneNumber.parse("0722 123 456", "RO")),),
        emails=(Email(EmailAddress.parse("ana.zoe@example.com")),),
        form_of_address="Madam Zoe",
    ),
    BOB: CaptureCustomer(BOB, name=PersonName.of("Bob", "Quxley", None), emails=(Email(EmailAddress.parse("bob.quxley@example.com")),)),
}
SAID_OF_THEM = ("Ana-Zoe", "Ștefănescu", "tef\\u0103nescu", "722123456", "722 123", "ana.zoe@", "Madam Zoe", "Quxley", "bob.quxley")
"""What must not stand in the clear anywhere in the log."""


def capture(crm: Crm, who: ExternalId, **options: Any) -> Outcome:
    """Capture one of them."""
    return crm.handle(CUSTOMER, CAPTURE[who], key=who.customer, actor=ACTOR, **options)


def customer(crm: Crm, who: ExternalId) -> Customer:
    """What this process reads of one of them."""
    state: Customer = crm.handler.load(CUSTOMER, (who.customer, who.customer)).state
    return state


def captured(crm: Crm) -> UUID:
    """A new customer."""
    key = uuid4()
    crm.handle(CUSTOMER, CaptureCustomer(company="Zimbru SRL"), key=key, actor=ACTOR)
    return key


def versions(shop: Shop, key: UUID) -> list[int]:
    return [version for (version,) in shop.rows("SELECT version FROM index.event WHERE key = %s ORDER BY version", key)]


def setter(crm: Crm, key: UUID, number: int, **options: Any) -> Callable[[], Outcome]:
    return lambda: crm.handle(CUSTOMER, CorrectCompany(f"Zimbru {number}"), key=key, actor=ACTOR, **options)


def purchase(number: str, *, source: str = "till", phone: str | None = None, fact_id: str = "1", day: int = 1, **data: Any) -> Fact:
    """One purchase as a fact."""
    customer = {} if phone is None else {"customer": {"phone": phone}}
    line = {"sku": "a", "quantity": "2", "unit_price": {"amount": "1.20", "currency": "EUR"}}
    body = {"lines": [line], **customer, **data}
    return read_fact(InboundFact("purchase.made", source, number, fact_id, datetime(2024, 1, day, tzinfo=UTC), body), "RO")
