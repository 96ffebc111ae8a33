"""Money: an exact amount in one currency. Never a float, never rounded, never added across currencies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Self

from domain.currency import require_currency
from domain.decider import DomainError
from domain.quantity import decimals, require_quantity
from domain.value import InvalidValue

DIGITS = 18
"""At most so many before the point, and at most so many after it: what NUMERIC(36, 18) holds."""

EXACT = Context(prec=100, traps=[Inexact, InvalidOperation])
"""Python's own context rounds to 28 digits without a word; two amounts multiplied need 55."""

_amount = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?").fullmatch


class CurrenciesDiffer(DomainError):
    """Two amounts in two currencies were to be added."""


@dataclass(frozen=True)
class Money:
    """An amount, its scale as given (12.30 stays 12.30), and the ISO 4217 code of its currency.

    Amounts compare by value: 12.30 EUR equals 12.3 EUR.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        require_currency(self.currency)
        if not self.amount.is_finite():
            raise InvalidValue("The amount is no number; give a decimal number with a point, such as 12.30.")
        if self.amount.adjusted() >= DIGITS:
            raise InvalidValue(f"The amount has more than {DIGITS} digits before the point; check it.")
        if decimals(self.amount) > DIGITS:
            raise InvalidValue(f"The amount has more than {DIGITS} decimals; round it.")

    @classmethod
    def parse(cls, amount: str, currency: str) -> Self:
        """Read `12.30` and `eur`. Raises InvalidValue: no thousands marks, no comma, no exponent."""
        if not _amount(amount.strip()):
            raise InvalidValue("The amount is no decimal number; write digits with at most one point, such as 12.30.")
        return cls(EXACT.plus(Decimal(amount.strip())), currency.strip().upper())

    @property
    def text(self) -> str:
        """The amount as digits, never with an exponent: `12.30`, `0.0000001`."""
        return format(EXACT.plus(self.amount), "f")

    def __str__(self) -> str:
        return f"{self.text} {self.currency}"

    def __add__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(EXACT.add(self.amount, other.amount), self.currency)

    def __sub__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(EXACT.subtract(self.amount, other.amount), self.currency)

    def __neg__(self) -> Money:
        return Money(EXACT.minus(self.amount), self.currency)

    def times(self, quantity: Decimal) -> Money:
        """The exact product, at our own scale where that is enough: 12.30 times 2.0 is 24.60, times 0.5 is 6.15.

        Raises InvalidValue for what is no quantity, and where the product has more digits than an amount may have.
        """
        require_quantity(quantity)
        return Money(_at_scale(EXACT.multiply(self.amount, quantity), decimals(self.amount)), self.currency)

    def _require_same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrenciesDiffer(f"{self.currency} and {other.currency} cannot be added; convert one of them first.")


def sum_by_currency(amounts: Iterable[Money]) -> dict[str, Money]:
    """The exact sum per currency, currencies in alphabetical order. Raises InvalidValue when a sum has too many digits."""
    sums: dict[str, Decimal] = {}
    for money in amounts:
        sums[money.currency] = EXACT.add(sums.get(money.currency, Decimal(0)), money.amount)
    return {currency: Money(sums[currency], currency) for currency in sorted(sums)}


def exact_total(items: Iterable[tuple[Money, Decimal]]) -> Money:
    """The exact sum of unit price times quantity over at least one item, at the finest scale of the prices where that is enough.

    The quantities were checked before. Raises CurrenciesDiffer, and InvalidValue when the sum has too many digits.
    """
    total, scale, currency = Decimal(0), 0, ""
    for price, quantity in items:
        if currency and price.currency != currency:
            raise CurrenciesDiffer(f"{currency} and {price.currency} cannot be added; convert one of them first.")
        currency, scale = price.currency, max(scale, decimals(price.amount))
        total = EXACT.add(total, EXACT.multiply(price.amount, quantity))
    return Money(_at_scale(total, scale), currency)


def _at_scale(product: Decimal, scale: int) -> Decimal:
    """The product without the zeros that the multiplication put behind `scale` decimals."""
    shortest = max(scale, decimals(EXACT.plus(product).normalize(EXACT)))
    return EXACT.quantize(product, Decimal(1).scaleb(-shortest, EXACT))
