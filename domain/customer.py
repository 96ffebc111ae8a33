"""A customer: one identity from first contact on. Captured as a person, a company or both, or known by an external id alone.

Its stream is its id, and so is its key. What it was captured with is corrected by events of its own; nothing is overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

from domain import held
from domain.address import Address
from domain.customer_addresses import (
    AddAddress,
    AddressAdded,
    AddressCommand,
    AddressCorrected,
    AddressEvent,
    AddressRemoved,
    CorrectAddress,
    RemoveAddress,
    decide_addresses,
    evolve_addresses,
)
from domain.customer_emails import (
    AddEmail,
    CorrectEmail,
    EmailAdded,
    EmailCommand,
    EmailCorrected,
    EmailEvent,
    EmailRemoved,
    RemoveEmail,
    decide_emails,
    evolve_emails,
)
from domain.customer_phones import (
    AddPhone,
    CorrectPhone,
    PhoneAdded,
    PhoneCommand,
    PhoneCorrected,
    PhoneEvent,
    PhoneRemoved,
    RemovePhone,
    decide_phones,
    evolve_phones,
)
from domain.decider import Decider, DomainError, personal
from domain.email import Email
from domain.external_id import ExternalId
from domain.ids import created_by
from domain.language import language_tag, require_language
from domain.person_name import PersonName
from domain.phone import Phone
from domain.value import require_line, require_reason, tidy


@dataclass(frozen=True)
class CaptureCustomer:
    """We have met somebody: a person, a company or both, or an external id that stands for one."""

    external_id: ExternalId | None = None
    company: str | None = None
    name: PersonName | None = None
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    addresses: tuple[Address, ...] = ()
    language: str | None = None
    form_of_address: str | None = None

    def __post_init__(self) -> None:
        require_company(self.company)
        require_language(self.language)
        require_form_of_address(self.form_of_address)

    def customer(self, commit: UUID) -> UUID:
        """The id, stream and key of the customer that this captures: from the external id, else from the commit's id."""
        return self.external_id.customer if self.external_id else created_by(commit, "customer")


@dataclass(frozen=True)
class CorrectName:
    """The person's name is this; None: it is no person."""

    name: PersonName | None
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


@dataclass(frozen=True)
class CorrectCompany:
    """The company's name is this; None: it is no company."""

    company: str | None
    reason: str | None = None

    def __post_init__(self) -> None:
        require_company(self.company)
        require_reason(self.reason)


@dataclass(frozen=True)
class SetLanguage:
    """They wish to be served in this language (a tag as in BCP 47); None: nobody knows."""

    language: str | None
    reason: str | None = None

    def __post_init__(self) -> None:
        require_language(self.language)
        require_reason(self.reason)


@dataclass(frozen=True)
class SetFormOfAddress:
    """So they wish to be addressed ("Frau Dr. Weiß"); None: nobody knows."""

    form_of_address: str | None
    reason: str | None = None

    def __post_init__(self) -> None:
        require_form_of_address(self.form_of_address)
        require_reason(self.reason)


ProfileCommand = CorrectName | CorrectCompany | SetLanguage | SetFormOfAddress
CustomerCommand = CaptureCustomer | ProfileCommand | PhoneCommand | EmailCommand | AddressCommand


@dataclass(frozen=True)
class CustomerCaptured:
    """We met a customer for the first time. Decided by CaptureCustomer."""

    external_id: ExternalId | None = None
    company: str | None = None
    language: str | None = None  # a tag as in BCP 47
    name: PersonName | None = personal()
    phones: tuple[Phone, ...] = personal(())
    emails: tuple[Email, ...] = personal(())
    addresses: tuple[Address, ...] = personal(())
    form_of_address: str | None = personal()


@dataclass(frozen=True)
class NameCorrected:
    """The person's name is this, and was written down wrongly before. Decided by CorrectName."""

    name: PersonName | None = personal()
    reason: str | None = personal()


@dataclass(frozen=True)
class CompanyCorrected:
    """The company's name is this, and was written down wrongly before. Decided by CorrectCompany."""

    company: str | None
    reason: str | None = personal()


@dataclass(frozen=True)
class LanguageSet:
    """The customer wishes to be served in this language. Decided by SetLanguage."""

    language: str | None  # a tag as in BCP 47; None: nobody knows
    reason: str | None = personal()


@dataclass(frozen=True)
class FormOfAddressSet:
    """The customer wishes to be addressed so. Decided by SetFormOfAddress."""

    form_of_address: str | None = personal()
    reason: str | None = personal()


ProfileEvent = NameCorrected | CompanyCorrected | LanguageSet | FormOfAddressSet
CustomerEvent = CustomerCaptured | ProfileEvent | PhoneEvent | EmailEvent | AddressEvent


class CustomerNotCaptured(DomainError):
    """Nothing is known of this customer yet."""


class CustomerAlreadyCaptured(DomainError):
    """The customer was captured before, and not as this external id."""


class CustomerUnknowable(DomainError):
    """Nothing was given by which the customer could be known again."""


@dataclass(frozen=True)
class Customer:
    """What is known of the customer now, as far as a decision needs it."""

    captured: bool = False
    external_id: ExternalId | None = None
    company: str | None = None
    name: PersonName | None = None
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    addresses: tuple[Address, ...] = ()
    language: str | None = None
    form_of_address: str | None = None


INITIAL = Customer()


def decide(customer: Customer, command: CustomerCommand, /) -> list[CustomerEvent]:
    """Return what happens; raise DomainError to refuse; return [] if nothing is new."""
    if isinstance(command, CaptureCustomer):
        return _capture(customer, command)
    if not customer.captured:
        raise CustomerNotCaptured("There is no such customer; capture it first.")
    match command:
        case CorrectName() | CorrectCompany() | SetLanguage() | SetFormOfAddress():
            return [*_decide_profile(customer, command)]
        case AddPhone() | CorrectPhone() | RemovePhone():
            return [*decide_phones(customer.phones, command)]
        case AddEmail() | CorrectEmail() | RemoveEmail():
            return [*decide_emails(customer.emails, command)]
        case AddAddress() | CorrectAddress() | RemoveAddress():
            return [*decide_addresses(customer.addresses, command)]
        case _:
            assert_never(command)


def evolve(customer: Customer, event: CustomerEvent, /) -> Customer:
    """Apply one event. It has already happened, so nothing is checked here."""
    match event:
        case CustomerCaptured(external_id, company, language, name, phones, emails, addresses, form):
            return Customer(True, external_id, company, name, phones, emails, addresses, language, form)
        case NameCorrected() | CompanyCorrected() | LanguageSet() | FormOfAddressSet():
            return _evolve_profile(customer, event)
        case PhoneAdded() | PhoneCorrected() | PhoneRemoved():
            return replace(customer, phones=evolve_phones(customer.phones, event))
        case EmailAdded() | EmailCorrected() | EmailRemoved():
            return replace(customer, emails=evolve_emails(customer.emails, event))
        case AddressAdded() | AddressCorrected() | AddressRemoved():
            return replace(customer, addresses=evolve_addresses(customer.addresses, event))
        case _:
            assert_never(event)


def _capture(customer: Customer, command: CaptureCustomer) -> list[CustomerEvent]:
    """An external id stands for one customer: capturing it again is no news, whatever else is said on the way."""
    if customer.captured:
        if command.external_id is not None and command.external_id == customer.external_id:
            return []
        raise CustomerAlreadyCaptured("This customer was captured before; correct what differs.")
    if not (command.external_id or command.company or command.name or command.phones or command.emails):
        raise CustomerUnknowable("Give a name, a company, a number, an e-mail address or an external id to know the customer by.")
    return [
        CustomerCaptured(
            command.external_id,
            tidy(command.company),
            language_tag(command.language) if command.language else None,
            command.name,
            held.unique(command.phones),
            held.unique(command.emails),
            held.unique(command.addresses),
            tidy(command.form_of_address),
        )
    ]


def _decide_profile(customer: Customer, command: ProfileCommand) -> list[ProfileEvent]:
    match command:
        case CorrectName(name, reason):
            return [NameCorrected(name, reason)] if name != customer.name else []
        case CorrectCompany(company, reason):
            company = tidy(company)
            return [CompanyCorrected(company, reason)] if company != customer.company else []
        case SetLanguage(language, reason):
            language = language_tag(language) if language else None
            return [LanguageSet(language, reason)] if language != customer.language else []
        case SetFormOfAddress(form, reason):
            form = tidy(form)
            return [FormOfAddressSet(form, reason)] if form != customer.form_of_address else []
        case _:
            assert_never(command)


def _evolve_profile(customer: Customer, event: ProfileEvent) -> Customer:
    match event:
        case NameCorrected(name):
            return replace(customer, name=name)
        case CompanyCorrected(company):
            return replace(customer, company=company)
        case LanguageSet(language):
            return replace(customer, language=language)
        case FormOfAddressSet(form):
            return replace(customer, form_of_address=form)
        case _:
            assert_never(event)


def require_company(company: str | None) -> None:
    """A company's name is optional, but not empty."""
    if company is not None:
        require_line(company, "The company", 300)


def require_form_of_address(form: str | None) -> None:
    """A form of address is optional, but not empty."""
    if form is not None:
        require_line(form, "The form of address", 100)


CUSTOMER: Decider[Customer, CustomerCommand, CustomerEvent] = Decider("customer", INITIAL, decide, evolve)
