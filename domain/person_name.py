"""The name of a human being: as given and family name where that is known, as full text where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from domain.value import InvalidValue, require_line, tidy


@dataclass(frozen=True)
class PersonName:
    """At least one of the three. `full` is how the person is written where the order is not given name, family name."""

    given: str | None = None
    family: str | None = None
    full: str | None = None

    def __post_init__(self) -> None:
        if self.given is None and self.family is None and self.full is None:
            raise InvalidValue("The name is empty; give a given name, a family name or the full name.")
        for part, what in ((self.given, "The given name"), (self.family, "The family name"), (self.full, "The full name")):
            if part is not None:
                require_line(part, what, 300)

    @classmethod
    def of(cls, given: str | None = None, family: str | None = None, full: str | None = None) -> Self:
        """From parts as people write them: blanks trimmed, empty parts dropped. Raises InvalidValue."""
        return cls(tidy(given), tidy(family), tidy(full))

    @property
    def text(self) -> str:
        """The whole name on one line."""
        return self.full or " ".join(part for part in (self.given, self.family) if part)
