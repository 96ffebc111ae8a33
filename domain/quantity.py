"""Quantities: exact decimals, within bounds that a table, a spreadsheet and a person can hold."""

from __future__ import annotations

from decimal import Decimal

from domain.value import InvalidValue

LARGEST = 10**12
DECIMALS = 6


def require_quantity(quantity: Decimal) -> None:
    """Finite, at most a million million either way, at most six decimals. Raises InvalidValue."""
    if not quantity.is_finite():
        raise InvalidValue("The quantity is no number; give one such as 2 or 0.5.")
    if quantity.adjusted() > 12 or quantity.copy_abs() > LARGEST:
        raise InvalidValue(f"The quantity is beyond {LARGEST:,}; check it, or count in a larger unit.")
    if decimals(quantity) > DECIMALS:
        raise InvalidValue(f"The quantity has more than {DECIMALS} decimals; round it, or count in a smaller unit.")


def decimals(number: Decimal) -> int:
    """Digits after the point, as written: 2 for 12.30, 0 for 1E+3. The number is finite."""
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
