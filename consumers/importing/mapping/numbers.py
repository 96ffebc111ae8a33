"""Numbers as files write them: exact, with the file's own marks, never guessed."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from consumers.importing.errors import RowError, excerpt

LONGEST = 100
"""Digits and marks of a number; longer is no number of anybody's business."""

LARGEST_INTEGER = 2**53 - 1
"""What every reader of JSON keeps exactly (RFC 8259, section 6)."""

BLANKS = " \u00a0\u202f\u2009"
"""What stands for a blank between thousands: the usual one, and the ones that do not break."""

SECONDS = re.compile(r"(?:([0-9]{1,6}):)?([0-9]{1,6}):([0-5]?[0-9])(?:\.[0-9]+)?")


def number_parser(decimal: str, thousands: str) -> Callable[[str], Decimal]:
    """A function from `1.234,50` to Decimal('1234.50'), for these marks ("" for none).

    Thousands marks must stand where they belong (groups of two or three, the last of three), so that 1,5 never becomes 15.
    A minus may lead, trail, or be written as brackets round the number: (12.30) is -12.30.
    """
    group = f"[{BLANKS}]" if thousands == " " else re.escape(thousands)
    grouped = rf"[0-9]{{1,3}}(?:{group}[0-9]{{2,3}})*{group}[0-9]{{3}}|" if thousands else ""
    point = re.escape(decimal)
    matches = re.compile(rf"([+-]?)((?:{grouped}[0-9]+)?(?:{point}[0-9]*)?)(-?)").fullmatch
    marks = str.maketrans({**dict.fromkeys(BLANKS if thousands == " " else thousands), decimal: "."})

    def parse(text: str) -> Decimal:
        bracketed = text.startswith("(") and text.endswith(")")
        found = matches(text[1:-1].strip() if bracketed else text.replace("\u2212", "-")) if len(text) <= LONGEST else None
        if found is None or (found[1] and found[3]) or (bracketed and (found[1] or found[3])):
            raise RowError(f"{excerpt(text)} is no number{_marks(decimal, thousands)}")
        try:
            number = Decimal(found[2].translate(marks))
        except InvalidOperation:
            raise RowError(f"{excerpt(text)} is no number{_marks(decimal, thousands)}") from None
        return number.copy_negate() if (bracketed or "-" in (found[1], found[3])) and number else number

    return parse


def _marks(decimal: str, thousands: str) -> str:
    thousand = f" and {thousands!r} between thousands" if thousands else " and nothing between thousands"
    return f" (the mapping says {decimal!r} before decimals{thousand})"


def number_text(number: Decimal) -> str:
    """The number as the log has it: digits and a point, its scale kept, no exponent."""
    return format(number, "f")


def whole(number: Decimal, text: str) -> int:
    """The number as an integer. Raises RowError if it has a fraction, or more digits than JSON's readers keep."""
    if number != number.to_integral_value():
        raise RowError(f"{excerpt(text)} is no whole number")
    if abs(number) > LARGEST_INTEGER:
        raise RowError(f"{excerpt(text)} is beyond {LARGEST_INTEGER:,}")
    return int(number)


def seconds(text: str, parse: Callable[[str], Decimal]) -> int:
    """A duration in whole seconds (a fraction is dropped): `166`, `2:46`, `0:02:46`. Raises RowError."""
    clock = SECONDS.fullmatch(text)
    if clock:
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3])
    number = parse(text)
    if number < 0:
        raise RowError(f"{excerpt(text)} is a negative duration")
    return int(number)
