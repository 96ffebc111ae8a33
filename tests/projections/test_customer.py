"""The document of a customer: a pure fold, so that the same function answers as of any version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import reduce
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from domain.address import Address, PostalAddress
from domain.customer import CompanyCorrected, CustomerCaptured, FormOfAddressSet, LanguageSet, NameCorrected
from domain.customer_addresses import AddressAdded, AddressCorrected, AddressRemoved
from domain.customer_emails import EmailAdded, EmailRemoved
from domain.customer_phones import PhoneAdded, PhoneCorrected, PhoneRemoved
from domain.email import Email, EmailAddress
from domain.external_id import ExternalId
from domain.person_name import PersonName
from domain.phone import Phone, PhoneNumber
from projections.batch import Recorded, is_customers
from projections.customer import CUSTOMER, CUSTOMER_DOCUMENT, evolve
from projections.tables import document
from tests.projections.histories import QUICK, History, histories
from tests.projections.said import ANA, START, Past, ReadModel, read_model

OFFICE, MOBILE = PhoneNumber("+40211234567", "021 123 45 67"), PhoneNumber("+40721234567")


@pytest.fixture
def customers(dsn: str) -> Iterator[ReadModel]:
    with read_model(dsn, CUSTOMER) as model:
        yield model


def folded(*events: Recorded) -> dict[str, Any]:
    return reduce(evolve, events, {})


def test_a_document_says_what_was_captured_and_by_whom() -> None:
    captured = CustomerCaptured(
        ExternalId("shop", "1"), "ACME", "ro", PersonName("Ana", "Pop"), (Phone(OFFICE, since=date(2020, 1, 1)),),
        form_of_address="Frau Pop",
    )  # fmt: skip
    said = folded(Past().of(ANA, captured))
    assert said["external_id"] == {"source": "shop", "id": "1"}
    assert (said["company"], said["language"], said["form_of_address"]) == ("ACME", "ro", "Frau Pop")
    assert said["name"] == {"given": "Ana", "family": "Pop", "text": "Ana Pop"}
    assert (said["captured_by"], said["captured_at"], said["version"]) == ("user:ana", START.isoformat(), 1)
    (phone,) = said["phones"]
    assert (phone["number"], phone["written"], phone["since"]) == ("+40211234567", "021 123 45 67", "2020-01-01")


def test_the_latest_word_counts() -> None:
    past = Past()
    said = folded(
        past.of(ANA, CustomerCaptured(company="ACME", name=PersonName("Ana"))),
        past.of(ANA, NameCorrected(PersonName("Anna"))),
        past.of(ANA, CompanyCorrected(None)),
        past.of(ANA, LanguageSet("de")),
        past.of(ANA, FormOfAddressSet("Frau Dr. Weiß")),
    )
    assert (said["name"]["text"], said["company"], said["language"], said["form_of_address"]) == ("Anna", None, "de", "Frau Dr. Weiß")


def test_what_is_corrected_stays_in_its_place_and_what_is_removed_leaves() -> None:
    past = Past()
    events = [
        past.of(ANA, CustomerCaptured(phones=(Phone(OFFICE), Phone(MOBILE)))),
        past.of(ANA, PhoneCorrected(OFFICE, Phone(PhoneNumber("+40211234568")))),
        past.of(ANA, PhoneAdded(Phone(OFFICE))),
        past.of(ANA, PhoneRemoved(MOBILE)),
        past.of(ANA, EmailAdded(Email(EmailAddress("ana@example.com"), "work"))),
        past.of(ANA, AddressAdded(Address(PostalAddress(city="Cluj")))),
        past.of(ANA, AddressCorrected(PostalAddress(city="cluj"), Address(PostalAddress(city="Cluj-Napoca")))),
    ]
    said = folded(*events)
    assert [phone["number"] for phone in said["phones"]] == ["+40211234568", "+40211234567"]
    assert [(email["address"], email["label"]) for email in said["emails"]] == [("ana@example.com", "work")]
    assert [address["city"] for address in said["addresses"]] == ["Cluj-Napoca"]
    said = folded(
        *events,
        past.of(ANA, EmailRemoved(EmailAddress("ANA@example.com"))),
        past.of(ANA, AddressRemoved(PostalAddress(city="Cluj-Napoca"))),
    )
    assert (said["emails"], said["addresses"]) == ([], [])


def test_the_fold_of_a_document_changes_no_earlier_one() -> None:
    past = Past()
    before = folded(past.of(ANA, CustomerCaptured(phones=(Phone(OFFICE),))))
    kept = document(before)
    evolve(before, past.of(ANA, PhoneAdded(Phone(MOBILE))))
    assert document(before) == kept


def test_the_table_holds_what_the_pure_fold_says_as_of_any_version(dsn: str) -> None:
    """Folded event by event, the row after version n is the fold of the first n events: that is what "as of" asks for."""
    with read_model(dsn, CUSTOMER) as model:

        @settings(QUICK, max_examples=15)
        @given(histories())
        def check(history: History) -> None:
            model.cursor.execute("SAVEPOINT empty")
            for events in history.values():
                for number, event in enumerate(events, start=1):
                    model.fold(event)
                    own = [e for e in events[:number] if e.stream == event.stream and is_customers(e) and CUSTOMER.reads(e.topic, e.type)]
                    if event not in own:
                        continue
                    model.cursor.execute("SELECT document FROM read.customer WHERE customer = %s", (event.stream,))
                    assert model.cursor.fetchall() == [(document(folded(*own)),)]
            model.cursor.execute("ROLLBACK TO SAVEPOINT empty; RELEASE SAVEPOINT empty")

        check()


def test_the_row_says_when_the_customer_was_captured_and_at_which_version_it_is(customers: ReadModel) -> None:
    past = Past()
    customers.fold(past.of(ANA, CustomerCaptured(company="ACME")))
    customers.fold(past.of(ANA, CompanyCorrected("ACME SA"), 3))
    (row,) = customers.rows(CUSTOMER_DOCUMENT)
    assert (row["customer"], row["version"], row["captured_at"]) == (ANA, 2, START)
    assert orjson.loads(row["document"])["company"] == "ACME SA"
    assert row["document"] == document(orjson.loads(row["document"])), "sorted keys: the same bytes for the same content"
