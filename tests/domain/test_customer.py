"""A customer is captured once, corrected by events of its own, and stays readable after an erasure."""

from __future__ import annotations

from datetime import date
from functools import reduce
from uuid import UUID

import pytest

from domain.address import Address, PostalAddress
from domain.customer import (
    CUSTOMER,
    CaptureCustomer,
    CompanyCorrected,
    CorrectCompany,
    CorrectName,
    CustomerAlreadyCaptured,
    CustomerCaptured,
    CustomerEvent,
    CustomerNotCaptured,
    CustomerUnknowable,
    FormOfAddressSet,
    LanguageSet,
    NameCorrected,
    SetFormOfAddress,
    SetLanguage,
)
from domain.customer_addresses import (
    AddAddress,
    AddressAdded,
    AddressAlreadyKnown,
    AddressCorrected,
    AddressNotKnown,
    AddressRemoved,
    CorrectAddress,
    RemoveAddress,
)
from domain.customer_emails import (
    AddEmail,
    CorrectEmail,
    EmailAdded,
    EmailAlreadyKnown,
    EmailCorrected,
    EmailNotKnown,
    EmailRemoved,
    RemoveEmail,
)
from domain.customer_phones import (
    AddPhone,
    CorrectPhone,
    PhoneAdded,
    PhoneAlreadyKnown,
    PhoneCorrected,
    PhoneNotKnown,
    PhoneRemoved,
    RemovePhone,
)
from domain.email import Email, EmailAddress
from domain.external_id import ExternalId
from domain.held import EndsBeforeItBegins
from domain.ids import created_by, customer_id
from domain.person_name import PersonName
from domain.phone import Phone, PhoneKind, PhoneNumber
from domain.value import InvalidValue
from tests.spec import given

SHOP = ExternalId("shop", "17850")
ANA = PersonName("Ana", "Pop")
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)

MOBILE = Phone(PhoneNumber("+40721123456", "0721 123 456"), PhoneKind.MOBILE, since=APRIL)
DESK = Phone(PhoneNumber("+40211234567", extension="12"), label="desk")
WORK, HOME = Email(EmailAddress("ana@example.com"), "work", APRIL), Email(EmailAddress("ana@home.example"))
CLUJ, IASI = Address(PostalAddress(("Main Street 1",), city="Cluj", country="RO"), "office", APRIL), Address(PostalAddress(city="Iași"))

CAPTURED = CustomerCaptured(SHOP, "Pop SRL", "ro", ANA, (MOBILE,), (WORK,), (CLUJ,), "Frau Pop")
COMMIT = UUID(int=7)


def test_a_person_is_captured() -> None:
    given(CUSTOMER).when(CaptureCustomer(name=ANA, phones=(MOBILE,))).then(CustomerCaptured(name=ANA, phones=(MOBILE,)))


def test_a_company_is_captured() -> None:
    given(CUSTOMER).when(CaptureCustomer(company="  Pop   SRL ")).then(CustomerCaptured(company="Pop SRL"))


def test_a_person_in_a_company_is_captured_with_everything() -> None:
    command = CaptureCustomer(SHOP, "Pop SRL", ANA, (MOBILE,), (WORK,), (CLUJ,), "RO", " Frau Pop ")
    given(CUSTOMER).when(command).then(CAPTURED)


def test_a_customer_may_be_known_by_an_external_id_alone() -> None:
    given(CUSTOMER).when(CaptureCustomer(SHOP)).then(CustomerCaptured(SHOP))


@pytest.mark.parametrize("command", [CaptureCustomer(phones=(MOBILE,)), CaptureCustomer(emails=(WORK,))])
def test_a_customer_may_be_known_by_a_number_or_an_address_alone(command: CaptureCustomer) -> None:
    given(CUSTOMER).when(command).then(CustomerCaptured(phones=command.phones, emails=command.emails))


@pytest.mark.parametrize("command", [CaptureCustomer(), CaptureCustomer(addresses=(CLUJ,), language="ro", form_of_address="Frau")])
def test_nobody_is_captured_by_whom_nothing_is_known(command: CaptureCustomer) -> None:
    given(CUSTOMER).when(command).then_refused(CustomerUnknowable, saying="external id")


def test_the_same_number_twice_is_captured_once() -> None:
    twice = (MOBILE, DESK, Phone(MOBILE.number, label="again"))
    given(CUSTOMER).when(CaptureCustomer(name=ANA, phones=twice)).then(CustomerCaptured(name=ANA, phones=(MOBILE, DESK)))


def test_capturing_the_same_external_id_again_is_no_news() -> None:
    given(CUSTOMER, CAPTURED).when(CaptureCustomer(SHOP, "Another name")).then_nothing()


@pytest.mark.parametrize("command", [CaptureCustomer(name=ANA), CaptureCustomer(ExternalId("shop", "2"))])
def test_a_customer_is_captured_once(command: CaptureCustomer) -> None:
    given(CUSTOMER, CAPTURED).when(command).then_refused(CustomerAlreadyCaptured)
    given(CUSTOMER, CustomerCaptured(name=ANA)).when(command).then_refused(CustomerAlreadyCaptured)


def test_a_customer_with_an_external_id_has_the_id_that_facts_derive() -> None:
    assert CaptureCustomer(SHOP).customer(COMMIT) == customer_id("shop", "17850")


def test_a_customer_without_an_external_id_has_an_id_of_its_commit() -> None:
    assert CaptureCustomer(name=ANA).customer(COMMIT) == created_by(COMMIT, "customer")


@pytest.mark.parametrize(
    "command",
    [
        CorrectName(ANA), CorrectCompany("Pop SRL"), SetLanguage("ro"), SetFormOfAddress("Frau Pop"),
        AddPhone(MOBILE), CorrectPhone(MOBILE.number, DESK), RemovePhone(MOBILE.number),
        AddEmail(WORK), CorrectEmail(WORK.address, HOME), RemoveEmail(WORK.address),
        AddAddress(CLUJ), CorrectAddress(CLUJ.address, IASI), RemoveAddress(CLUJ.address),
    ],
)  # fmt: skip
def test_only_a_captured_customer_can_be_corrected(command: object) -> None:
    given(CUSTOMER).when(command).then_refused(CustomerNotCaptured)


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (CorrectName(PersonName("Ana-Maria", "Pop"), "she said so"), NameCorrected(PersonName("Ana-Maria", "Pop"), "she said so")),
        (CorrectName(None, "a company"), NameCorrected(None, "a company")),
        (CorrectCompany(" Pop & Co "), CompanyCorrected("Pop & Co")),
        (CorrectCompany(None), CompanyCorrected(None)),
        (SetLanguage("PT-br", "heard it"), LanguageSet("pt-BR", "heard it")),
        (SetLanguage(None), LanguageSet(None)),
        (SetFormOfAddress(" Frau Dr. Pop "), FormOfAddressSet("Frau Dr. Pop")),
        (SetFormOfAddress(None), FormOfAddressSet(None)),
        (AddPhone(DESK, "card"), PhoneAdded(DESK, "card")),
        (CorrectPhone(MOBILE.number, DESK), PhoneCorrected(MOBILE.number, DESK)),
        (CorrectPhone(MOBILE.number, Phone(MOBILE.number)), PhoneCorrected(MOBILE.number, Phone(MOBILE.number))),
        (RemovePhone(MOBILE.number, APRIL, "sold"), PhoneRemoved(MOBILE.number, APRIL, "sold")),
        (RemovePhone(MOBILE.number), PhoneRemoved(MOBILE.number)),
        (AddEmail(HOME), EmailAdded(HOME)),
        (CorrectEmail(WORK.address, HOME, "typo"), EmailCorrected(WORK.address, HOME, "typo")),
        (RemoveEmail(WORK.address, APRIL), EmailRemoved(WORK.address, APRIL)),
        (AddAddress(IASI), AddressAdded(IASI)),
        (CorrectAddress(CLUJ.address, IASI), AddressCorrected(CLUJ.address, IASI)),
        (RemoveAddress(CLUJ.address, None, "moved"), AddressRemoved(CLUJ.address, None, "moved")),
    ],
)
def test_a_correction_is_an_event_with_its_reason(command: object, event: object) -> None:
    given(CUSTOMER, CAPTURED).when(command).then(event)


@pytest.mark.parametrize(
    "command",
    [
        CorrectName(ANA, "again"), CorrectCompany("Pop  SRL"), SetLanguage("RO"), SetFormOfAddress(" Frau Pop"),
        AddPhone(MOBILE), AddPhone(Phone(PhoneNumber("+40721123456", "+40 721 123456"), PhoneKind.MOBILE, since=APRIL)),
        CorrectPhone(MOBILE.number, MOBILE), AddEmail(WORK), CorrectEmail(WORK.address, WORK), AddAddress(CLUJ),
        CorrectAddress(CLUJ.address, CLUJ),
    ],
)  # fmt: skip
def test_what_is_known_already_is_no_news(command: object) -> None:
    given(CUSTOMER, CAPTURED).when(command).then_nothing()


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (AddPhone(Phone(MOBILE.number, PhoneKind.SHARED_LINE)), PhoneAlreadyKnown),
        (AddEmail(Email(EmailAddress("ANA@example.com"))), EmailAlreadyKnown),
        (AddAddress(Address(CLUJ.address, "home")), AddressAlreadyKnown),
    ],
)
def test_what_is_there_with_other_details_is_corrected_and_not_added(command: object, refusal: type[PhoneAlreadyKnown]) -> None:
    given(CUSTOMER, CAPTURED).when(command).then_refused(refusal, saying="correct it")


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (CorrectPhone(DESK.number, MOBILE), PhoneNotKnown),
        (RemovePhone(DESK.number), PhoneNotKnown),
        (RemovePhone(PhoneNumber("+40721123456", extension="1")), PhoneNotKnown),
        (CorrectEmail(HOME.address, WORK), EmailNotKnown),
        (RemoveEmail(HOME.address), EmailNotKnown),
        (CorrectAddress(IASI.address, CLUJ), AddressNotKnown),
        (RemoveAddress(IASI.address), AddressNotKnown),
    ],
)
def test_only_what_is_there_can_be_corrected_or_removed(command: object, refusal: type[PhoneNotKnown]) -> None:
    given(CUSTOMER, CAPTURED).when(command).then_refused(refusal)


@pytest.mark.parametrize(
    ("more", "command", "refusal"),
    [
        (PhoneAdded(DESK), CorrectPhone(DESK.number, MOBILE), PhoneAlreadyKnown),
        (EmailAdded(HOME), CorrectEmail(HOME.address, WORK), EmailAlreadyKnown),
        (AddressAdded(IASI), CorrectAddress(IASI.address, CLUJ), AddressAlreadyKnown),
    ],
)
def test_a_wrong_one_beside_the_right_one_is_removed(more: object, command: object, refusal: type[PhoneAlreadyKnown]) -> None:
    given(CUSTOMER, CAPTURED, more).when(command).then_refused(refusal, saying="remove the wrong one")


@pytest.mark.parametrize(
    "command", [RemovePhone(MOBILE.number, MARCH), RemoveEmail(WORK.address, MARCH), RemoveAddress(CLUJ.address, MARCH)]
)
def test_nothing_ends_before_it_begins(command: object) -> None:
    given(CUSTOMER, CAPTURED).when(command).then_refused(EndsBeforeItBegins, saying="2026-03-01")


def test_what_was_removed_can_be_added_again() -> None:
    given(CUSTOMER, CAPTURED, PhoneRemoved(MOBILE.number)).when(AddPhone(MOBILE)).then(PhoneAdded(MOBILE))
    given(CUSTOMER, CAPTURED, EmailRemoved(WORK.address)).when(AddEmail(WORK)).then(EmailAdded(WORK))
    given(CUSTOMER, CAPTURED, AddressRemoved(CLUJ.address)).when(AddAddress(CLUJ)).then(AddressAdded(CLUJ))


def test_a_correction_takes_the_place_of_what_was_wrong() -> None:
    given(CUSTOMER, CAPTURED, PhoneCorrected(MOBILE.number, DESK)).when(RemovePhone(MOBILE.number)).then_refused(PhoneNotKnown)
    given(CUSTOMER, CAPTURED, PhoneCorrected(MOBILE.number, DESK)).when(AddPhone(DESK)).then_nothing()
    given(CUSTOMER, CAPTURED, EmailCorrected(WORK.address, HOME)).when(AddEmail(HOME)).then_nothing()
    given(CUSTOMER, CAPTURED, AddressCorrected(CLUJ.address, IASI)).when(AddAddress(IASI)).then_nothing()
    given(CUSTOMER, CAPTURED, NameCorrected(PersonName("Ioana"))).when(CorrectName(PersonName("Ioana"))).then_nothing()
    given(CUSTOMER, CAPTURED, CompanyCorrected("New SRL")).when(CorrectCompany("New SRL")).then_nothing()
    given(CUSTOMER, CAPTURED, LanguageSet("de")).when(SetLanguage("de")).then_nothing()
    given(CUSTOMER, CAPTURED, FormOfAddressSet("Doamna")).when(SetFormOfAddress("Doamna")).then_nothing()


def test_the_state_keeps_the_order_in_which_numbers_came() -> None:
    events: tuple[CustomerEvent, ...] = (CAPTURED, PhoneAdded(DESK), PhoneCorrected(MOBILE.number, Phone(MOBILE.number, label="new")))
    state = reduce(CUSTOMER.evolve, events, CUSTOMER.initial)
    assert state.phones == (Phone(MOBILE.number, label="new"), DESK)


def test_half_a_correction_changes_nothing() -> None:
    halves: tuple[CustomerEvent, ...] = (
        PhoneCorrected(None, DESK), PhoneCorrected(MOBILE.number), EmailCorrected(None, HOME), EmailCorrected(WORK.address),
        AddressCorrected(None, IASI), AddressCorrected(CLUJ.address),
    )  # fmt: skip
    assert reduce(CUSTOMER.evolve, halves, CUSTOMER.evolve(CUSTOMER.initial, CAPTURED)) == CUSTOMER.evolve(CUSTOMER.initial, CAPTURED)


def test_after_an_erasure_the_customer_is_still_captured() -> None:
    erased = (
        CustomerCaptured(SHOP),
        NameCorrected(),
        PhoneAdded(),
        PhoneCorrected(),
        PhoneRemoved(),
        EmailAdded(),
        EmailCorrected(),
        EmailRemoved(),
        AddressAdded(),
        AddressCorrected(),
        AddressRemoved(),
        FormOfAddressSet(),
    )
    given(CUSTOMER, *erased).when(CaptureCustomer(SHOP)).then_nothing()
    given(CUSTOMER, *erased).when(AddPhone(MOBILE)).then(PhoneAdded(MOBILE))
    given(CUSTOMER, *erased).when(RemovePhone(MOBILE.number)).then_refused(PhoneNotKnown)


@pytest.mark.parametrize(
    ("command", "field", "value", "saying"),
    [
        (CaptureCustomer, "company", " ", "company is empty"),
        (CaptureCustomer, "company", "a\x00b", "control character"),
        (CaptureCustomer, "language", "no such", "language"),
        (CaptureCustomer, "form_of_address", "", "form of address is empty"),
        (CorrectCompany, "company", "x" * 301, "301 characters"),
        (SetLanguage, "language", "ro_RO", "language"),
        (SetFormOfAddress, "form_of_address", "a\nb", "line break"),
        (SetFormOfAddress, "form_of_address", "x" * 101, "101 characters"),
    ],
)
def test_a_command_that_cannot_be_is_refused_before_it_is_decided(command: type, field: str, value: str, saying: str) -> None:
    with pytest.raises(InvalidValue, match=saying):
        command(**{field: value})


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (CorrectName, (ANA,)), (CorrectCompany, ("x",)), (SetLanguage, ("ro",)), (SetFormOfAddress, ("x",)),
        (AddPhone, (MOBILE,)), (CorrectPhone, (MOBILE.number, DESK)), (RemovePhone, (MOBILE.number, None)),
        (AddEmail, (WORK,)), (CorrectEmail, (WORK.address, HOME)), (RemoveEmail, (WORK.address, None)),
        (AddAddress, (CLUJ,)), (CorrectAddress, (CLUJ.address, IASI)), (RemoveAddress, (CLUJ.address, None)),
    ],
)  # fmt: skip
def test_every_correction_takes_a_reason_that_says_something(command: type, what: tuple[object, ...]) -> None:
    assert command(*what, "said so").reason == "said so"
    with pytest.raises(InvalidValue, match="The reason is empty"):
        command(*what, " ")
