"""Telephone numbers: E.164 for comparing, the writing that was given for showing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Self

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult

from domain.value import InvalidValue, require_label, require_line
from domain.withheld import is_withheld

LONGEST_WRITING = 250
"""Characters; beyond, `phonenumbers` does not look at all."""

SHORTEST_UNLISTED = 8
"""Digits with the country's: shorter ones count only where the numbering plan knows them, else a room number would be a telephone."""

SPELLED = frozenset({PhoneNumberType.TOLL_FREE, PhoneNumberType.SHARED_COST, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.UAN})
"""The kinds of numbers that are spelled in letters."""

_e164 = re.compile(r"\+[1-9][0-9]{1,14}").fullmatch
_extension = re.compile(r"[0-9]{1,20}").fullmatch


class PhoneKind(StrEnum):
    """Whom one reaches under a number. A mobile is one person's, as a direct line is."""

    DIRECT_LINE = "direct_line"
    SHARED_LINE = "shared_line"
    MOBILE = "mobile"
    FAX = "fax"

    @property
    def is_one_persons(self) -> bool:
        """Whether the number alone says who calls."""
        return self in {PhoneKind.DIRECT_LINE, PhoneKind.MOBILE}


@dataclass(frozen=True)
class PhoneNumber:
    """A number of the world's plan (ITU-T E.164), the writing it was given in, and the extension behind it.

    Two writings of one number are equal. What is dialled alike without being equal (Brazil's ninth digit, Argentina's 9) is
    no matter of this class: whoever matches compares more than `e164`.
    """

    e164: str
    raw: str = field(default="", compare=False)
    extension: str | None = None

    def __post_init__(self) -> None:
        if not _e164(self.e164):
            raise InvalidValue("A telephone number in E.164 is a + and 2 to 15 digits, such as +40211234567.")
        if self.raw:
            require_line(self.raw, "The telephone number as written", LONGEST_WRITING)
        if self.extension is not None and not _extension(self.extension):
            raise InvalidValue("The extension is no number of at most 20 digits; check it.")

    @classmethod
    def parse(cls, raw: str, region: str) -> Self:
        """Read a number as people and machines write it; `region` (ISO 3166-1) is where a number without its country is dialled.

        Takes national and international writing, `00` and the region's own prefix for abroad, blanks, brackets, slashes, dots,
        `+40 (0)21…`, extensions, `tel:` with `;ext=` (RFC 3966). A number outside the numbering plan that `phonenumbers` knows is
        taken if its length is possible, since plans grow. Raises InvalidValue; ask `is_withheld` first.
        """
        if is_withheld(raw):
            raise InvalidValue("The number is withheld; leave it out.")
        if len(raw) > LONGEST_WRITING:
            raise InvalidValue(f"This is no telephone number, for it has more than {LONGEST_WRITING} characters.")
        if region.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise InvalidValue("There is no telephone plan for this region; give a country's code of two letters, such as RO.")
        number = _read(raw, region.upper())
        if number is None:
            raise InvalidValue("This is no telephone number; give it with its country, such as +40 21 123 4567, or as dialled at home.")
        return cls(phonenumbers.format_number(number, PhoneNumberFormat.E164), raw.strip(), number.extension or None)

    @property
    def key(self) -> str:
        """What two writings of one number and extension share."""
        return f"{self.e164};ext={self.extension}" if self.extension else self.e164

    def last_digits(self, count: int) -> str:
        """The last digits, fewer where the number has fewer; what two numbers share that are maybe one."""
        return self.e164.lstrip("+")[-count:] if count > 0 else ""


@dataclass(frozen=True)
class Phone:
    """A number that a customer has, of which kind, what it is for, and since which day it is theirs."""

    number: PhoneNumber
    kind: PhoneKind = PhoneKind.DIRECT_LINE
    label: str | None = None
    since: date | None = None

    def __post_init__(self) -> None:
        require_label(self.label)

    @property
    def key(self) -> str:
        """What tells this number from the customer's others."""
        return self.number.key


def _read(raw: str, region: str) -> phonenumbers.PhoneNumber | None:
    """The first reading that the plan knows, else the first whose length is possible; None if there is none."""
    readings = [number for writing in _writings(raw) if (number := _parse(writing, region)) and _is_meant(raw, number)]
    known = next((number for number in readings if phonenumbers.is_valid_number(number)), None)
    return known or next((number for number in readings if _is_possible(number)), None)


def _writings(raw: str) -> Iterator[str]:
    """The writing itself, and what may be meant where that is nothing: a (0) to be left out abroad, a 00 dialled from elsewhere."""
    yield raw
    if "(0)" in raw:
        yield raw.replace("(0)", "")
    if raw.strip().startswith("00"):
        yield "+" + raw.strip()[2:]


def _parse(writing: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(writing, region)
    except phonenumbers.NumberParseException:
        return None


def _is_meant(raw: str, number: phonenumbers.PhoneNumber) -> bool:
    """Letters spell digits in service numbers alone (1-800-FLOWERS): elsewhere a street and its number would be a telephone."""
    return not phonenumbers.is_alpha_number(raw) or phonenumbers.number_type(number) in SPELLED


def _is_possible(number: phonenumbers.PhoneNumber) -> bool:
    """A length that the country's numbers have."""
    digits = phonenumbers.format_number(number, PhoneNumberFormat.E164).lstrip("+")
    return len(digits) >= SHORTEST_UNLISTED and phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
