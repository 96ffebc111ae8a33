"""Postal addresses: lines as they stand on the envelope, and the parts that are searched and counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Self

from domain.country import require_country
from domain.value import InvalidValue, require_label, require_line, tidy


@dataclass(frozen=True)
class PostalAddress:
    """Street and house as lines, the rest apart; any part may be missing, but not all. The country is ISO 3166-1 alpha-2."""

    lines: tuple[str, ...] = ()
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None

    def __post_init__(self) -> None:
        if not self.lines and not (self.postal_code or self.city or self.region or self.country):
            raise InvalidValue("The postal address is empty; give at least one part of it.")
        if len(self.lines) > 10:
            raise InvalidValue("The postal address has more than 10 lines; put some of them together.")
        for line in self.lines:
            require_line(line, "A line of the postal address", 300)
        for part, what, most in (
            (self.postal_code, "The postal code", 20),
            (self.city, "The city", 200),
            (self.region, "The region", 200),
        ):
            if part is not None:
                require_line(part, what, most)
        if self.country is not None:
            require_country(self.country)

    @classmethod
    def of(
        cls,
        lines: Iterable[str] = (),
        postal_code: str | None = None,
        city: str | None = None,
        region: str | None = None,
        country: str | None = None,
    ) -> Self:
        """From parts as people write them: blanks trimmed, empty parts dropped, `ro` read as RO. Raises InvalidValue."""
        written = tuple(line for line in map(tidy, lines) if line)
        code = tidy(country)
        return cls(written, tidy(postal_code), tidy(city), tidy(region), code.upper() if code else None)

    @property
    def key(self) -> str:
        """What two writings of one address share, small and capital letters apart."""
        parts = (*self.lines, self.postal_code, self.city, self.region, self.country)
        return "\n".join((part or "").casefold() for part in parts)


@dataclass(frozen=True)
class Address:
    """A postal address that a customer has, what it is for, and since which day it is theirs."""

    address: PostalAddress
    label: str | None = None
    since: date | None = None

    def __post_init__(self) -> None:
        require_label(self.label)

    @property
    def key(self) -> str:
        """What tells this address from the customer's others."""
        return self.address.key
