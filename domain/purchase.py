"""Purchases and what came back of them, as facts; and the shape in which the outside world reports them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from domain.decider import DomainError, personal
from domain.email import EmailAddress
from domain.fact import UNMATCHED, CustomerReference, Match, Report
from domain.money import Money, exact_total
from domain.phone import PhoneNumber
from domain.quantity import require_quantity
from domain.value import InvalidValue, require_line, require_text
from domain.withheld import is_withheld


class CurrenciesMixed(DomainError):
    """The lines and the total of one purchase are not all in one currency."""


@dataclass(frozen=True)
class PurchaseLine:
    """So many of one thing, at so much each. Quantities and prices may be negative: discounts and corrections are lines, too."""

    quantity: Decimal
    unit_price: Money
    sku: str | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        require_quantity(self.quantity)
        if self.sku is not None:
            require_line(self.sku, "The article number (sku)", 200)
        if self.description is not None:
            require_text(self.description, "The description", 2000)

    @property
    def amount(self) -> Money:
        """Quantity times unit price, exactly."""
        return self.unit_price.times(self.quantity)


@dataclass(frozen=True)
class PurchaseMade:
    """The customer bought something. Reported by a shop, a till or an import (`purchase.made`).

    The total is what the source stated, which may differ from its lines (postage, rounding); where it stated none, it is their
    exact sum. An adjustment of an account is a purchase without goods, its total negative or not, and says so in `reason`.
    """

    report: Report
    match: Match
    total: Money
    lines: tuple[PurchaseLine, ...] = ()
    customer: CustomerReference | None = None
    reason: str | None = None  # a word of the source's, such as adjustment; nothing about a person
    phone: PhoneNumber | None = personal()  # of the customer, as the source gave it
    email: EmailAddress | None = personal()  # the same

    def __post_init__(self) -> None:
        _require_one_currency(self.total, self.lines)
        _require_reason(self.reason)


@dataclass(frozen=True)
class PurchaseReturned:
    """Goods came back. Reported by a shop, a till or an import (`purchase.returned`).

    Quantities count what came back and are positive; the total is what the customer is owed for it, and counts against the
    customer's value.
    """

    report: Report
    match: Match
    total: Money
    lines: tuple[PurchaseLine, ...] = ()
    customer: CustomerReference | None = None
    reason: str | None = None  # a word of the source's, such as damaged; nothing about a person
    phone: PhoneNumber | None = personal()  # of the customer, as the source gave it
    email: EmailAddress | None = personal()  # the same

    def __post_init__(self) -> None:
        if any(line.quantity < 0 for line in self.lines):
            raise InvalidValue("The quantities of a return count what came back; give them as positive numbers.")
        _require_one_currency(self.total, self.lines)
        _require_reason(self.reason)


@dataclass(frozen=True)
class ReportedCustomer:
    """Whom a report is about, in its own words: any of the four, or none."""

    id: UUID | None = None
    external_id: str | None = None
    phone: str | None = None
    email: str | None = None

    def reference(self) -> CustomerReference | None:
        """The part that is not personal; None if nothing of it was said."""
        if self.id is None and self.external_id is None:
            return None
        return CustomerReference(self.id, self.external_id)

    def phone_number(self, region: str) -> PhoneNumber | None:
        """The number, if one was said and it was not withheld. Raises InvalidValue."""
        return None if is_withheld(self.phone) else PhoneNumber.parse(self.phone or "", region)

    def email_address(self) -> EmailAddress | None:
        """The address, if one was said. Raises InvalidValue."""
        return EmailAddress.parse(self.email) if self.email and self.email.strip() else None


@dataclass(frozen=True)
class ReportedPurchase:
    """The data of `purchase.made` and `purchase.returned`, as they come from outside (contract: inbound facts)."""

    customer: ReportedCustomer | None = None
    lines: tuple[PurchaseLine, ...] = ()
    total: Money | None = None
    reason: str | None = None

    def made(self, report: Report, region: str, match: Match = UNMATCHED) -> PurchaseMade:
        """The fact. Raises DomainError."""
        who = self.customer or ReportedCustomer()
        return PurchaseMade(
            report, match, self._total(), self.lines, who.reference(), self.reason, who.phone_number(region), who.email_address()
        )

    def returned(self, report: Report, region: str, match: Match = UNMATCHED) -> PurchaseReturned:
        """The fact. Raises DomainError."""
        who = self.customer or ReportedCustomer()
        return PurchaseReturned(
            report, match, self._total(), self.lines, who.reference(), self.reason, who.phone_number(region), who.email_address()
        )

    def _total(self) -> Money:
        if self.total is not None:
            return self.total
        if not self.lines:
            raise InvalidValue("The purchase has neither lines nor a total; give at least one of them.")
        _require_one_currency(self.lines[0].unit_price, self.lines)
        return exact_total((line.unit_price, line.quantity) for line in self.lines)


def _require_one_currency(total: Money, lines: tuple[PurchaseLine, ...]) -> None:
    if any(line.unit_price.currency != total.currency for line in lines):
        raise CurrenciesMixed("A purchase is in one currency, lines and total alike; report one for each currency.")


def _require_reason(reason: str | None) -> None:
    if reason is not None:
        require_text(reason, "The reason", 2000)
