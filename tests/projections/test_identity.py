"""Who has which number and address, since when and until when, and which id is which customer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import pytest

from domain.customer import CustomerCaptured
from domain.customer_emails import EmailAdded, EmailCorrected, EmailRemoved
from domain.customer_phones import PhoneAdded, PhoneCorrected, PhoneRemoved
from domain.email import Email, EmailAddress
from domain.external_id import ExternalId
from domain.phone import Phone, PhoneKind, PhoneNumber
from domain.pointer import CustomerMerged, CustomerUnmerged, ExternalIdLinked, ExternalIdUnlinked
from projections.identity import HANDLE, IDENTITY, KNOWN, POINTER
from tests.projections.said import ANA, BOB, DAY, EVA, START, Past, ReadModel, read_model

OFFICE, MOBILE = PhoneNumber("+40211234567"), PhoneNumber("+40721234567")
Held = tuple[str, datetime, datetime | None]


@pytest.fixture
def identity(dsn: str) -> Iterator[ReadModel]:
    with read_model(dsn, IDENTITY) as model:
        yield model


def held(identity: ReadModel) -> list[Held]:
    """(number or address, from when, to when) of all that anybody has or had."""
    rows = [(row["value"], row["given_at"], row["ended_at"]) for row in identity.rows(HANDLE)]
    return sorted(rows, key=lambda row: (row[1], row[0]))


def test_a_customer_has_what_it_was_captured_with(identity: ReadModel) -> None:
    phone = Phone(OFFICE, PhoneKind.SHARED_LINE, "reception", date(2020, 5, 1))
    identity.fold(Past().of(ANA, CustomerCaptured(phones=(phone,), emails=(Email(EmailAddress("Ana@example.com")),))))
    email, number = identity.rows(HANDLE)
    assert (email["kind"], email["value"], email["since"], email["line"]) == ("email", "ana@example.com", None, None)
    assert (number["value"], number["line"], number["label"]) == ("+40211234567", "shared_line", "reception")
    assert (number["since"], number["given_at"], number["last_digits"]) == (date(2020, 5, 1), START, "1234567")
    assert identity.rows(KNOWN) == [{"customer": ANA, "captured_at": START}]


def test_two_extensions_of_one_number_are_two(identity: ReadModel) -> None:
    phones = (Phone(PhoneNumber(OFFICE.e164, extension="12")), Phone(PhoneNumber(OFFICE.e164, extension="34")), Phone(OFFICE))
    past = Past()
    identity.fold(past.of(ANA, CustomerCaptured(phones=phones)))
    assert [row["extension"] for row in identity.rows(HANDLE)] == ["", "12", "34"]
    identity.fold(past.of(ANA, PhoneRemoved(phones[0].number), 1))
    assert [row["extension"] for row in identity.rows(HANDLE) if row["ended_at"] is None] == ["", "34"]


def test_a_number_passes_from_one_customer_to_another(identity: ReadModel) -> None:
    past = Past()
    identity.fold(
        past.of(ANA, CustomerCaptured(phones=(Phone(MOBILE),))),
        past.of(BOB, CustomerCaptured(company="ACME")),
        past.of(ANA, PhoneRemoved(MOBILE), 2),
        past.of(BOB, PhoneAdded(Phone(MOBILE)), 5),
    )
    rows = [(row["customer"], row["given_at"], row["ended_at"]) for row in identity.rows(HANDLE)]
    assert rows == [(ANA, START, START + 2 * DAY), (BOB, START + 5 * DAY, None)]


def test_a_correction_ends_the_wrong_number_and_begins_the_right_one(identity: ReadModel) -> None:
    past = Past()
    identity.fold(past.of(ANA, CustomerCaptured(phones=(Phone(OFFICE),))))
    identity.fold(past.of(ANA, PhoneCorrected(OFFICE, Phone(MOBILE)), 3))
    assert held(identity) == [(OFFICE.e164, START, START + 3 * DAY), (MOBILE.e164, START + 3 * DAY, None)]


def test_a_corrected_label_leaves_one_number_standing(identity: ReadModel) -> None:
    past = Past()
    identity.fold(
        past.of(ANA, CustomerCaptured(phones=(Phone(MOBILE),))),
        past.of(ANA, PhoneCorrected(MOBILE, Phone(MOBILE, PhoneKind.MOBILE, "private")), 1),
    )
    assert [(row["label"], row["line"]) for row in identity.rows(HANDLE) if row["ended_at"] is None] == [("private", "mobile")]


def test_a_removal_says_the_last_day(identity: ReadModel) -> None:
    past = Past()
    identity.fold(past.of(ANA, CustomerCaptured(phones=(Phone(MOBILE),))), past.of(ANA, PhoneRemoved(MOBILE, date(2023, 12, 31)), 4))
    (row,) = identity.rows(HANDLE)
    assert (row["until"], row["ended_at"]) == (date(2023, 12, 31), START + 4 * DAY)


def test_a_number_that_comes_back_has_two_times(identity: ReadModel) -> None:
    past = Past()
    identity.fold(
        past.of(ANA, CustomerCaptured(phones=(Phone(MOBILE),))),
        past.of(ANA, PhoneRemoved(MOBILE), 1),
        past.of(ANA, PhoneAdded(Phone(MOBILE)), 2),
    )
    assert held(identity) == [(MOBILE.e164, START, START + DAY), (MOBILE.e164, START + 2 * DAY, None)]


def test_addresses_are_one_however_they_are_written(identity: ReadModel) -> None:
    past = Past()
    identity.fold(
        past.of(ANA, CustomerCaptured(company="ACME")),
        past.of(ANA, EmailAdded(Email(EmailAddress("Ana@example.com"))), 1),
        past.of(ANA, EmailCorrected(EmailAddress("ANA@example.com"), Email(EmailAddress("ana@example.org"))), 2),
        past.of(ANA, EmailRemoved(EmailAddress("ana@example.org")), 3),
    )
    assert held(identity) == [("ana@example.com", START + DAY, START + 2 * DAY), ("ana@example.org", START + 2 * DAY, START + 3 * DAY)]


def test_what_an_erasure_left_empty_gives_nothing(identity: ReadModel) -> None:
    past = Past()
    identity.fold(
        past.of(ANA, CustomerCaptured()), past.of(ANA, PhoneAdded()), past.of(ANA, PhoneCorrected()), past.of(ANA, EmailRemoved())
    )
    assert identity.rows(HANDLE) == []
    assert identity.rows(KNOWN)[0]["customer"] == ANA


def test_short_numbers_have_no_last_digits_to_be_mistaken_by(identity: ReadModel) -> None:
    identity.fold(Past().of(ANA, CustomerCaptured(phones=(Phone(PhoneNumber("+4912")),))))
    assert identity.rows(HANDLE)[0]["last_digits"] is None


def test_a_merge_points_and_an_unmerge_ends_the_pointer(identity: ReadModel) -> None:
    past = Past()
    identity.fold(past.pointer(ANA, CustomerMerged(BOB)))
    identity.fold(past.pointer(ANA, CustomerUnmerged(BOB), 1), past.pointer(ANA, CustomerMerged(EVA), 2))
    rows = [(row["target"], row["kind"], row["given_at"], row["ended_at"]) for row in identity.rows(POINTER)]
    assert rows == [(BOB, "merge", START, START + DAY), (EVA, "merge", START + 2 * DAY, None)]


def test_a_link_names_its_external_id(identity: ReadModel) -> None:
    past, external_id = Past(), ExternalId("erp", "17")
    identity.fold(past.pointer(external_id.customer, ExternalIdLinked(external_id, ANA)))
    (row,) = identity.rows(POINTER)
    assert (row["customer"], row["target"], row["source"], row["external_id"]) == (external_id.customer, ANA, "erp", "17")
    identity.fold(past.pointer(external_id.customer, ExternalIdUnlinked(external_id, ANA), 1))
    assert identity.rows(POINTER)[0]["ended_at"] == START + DAY
