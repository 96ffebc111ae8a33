"""E-mail addresses: as people give them, and as they are compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Self

from domain.value import InvalidValue, require_label

_local = re.compile(r"""[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff@<>(),;:"\\]{1,64}""").fullmatch
_domain = re.compile(r"""[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff@<>(),;"\\.]+(\.[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff@<>(),;"\\.]+)*""").fullmatch
_in_brackets = re.compile(r"[^<>]*<([^<>]*)>\s*").fullmatch


@dataclass(frozen=True)
class EmailAddress:
    """One address, its domain in small letters. Permissive: what a mail server somewhere takes is not refused here."""

    address: str

    def __post_init__(self) -> None:
        if len(self.address) > 254:  # RFC 3696, erratum 1690: the longest path without its angle brackets
            raise InvalidValue("The e-mail address is longer than 254 characters; check it.")
        local, at, domain = self.address.partition("@")
        if not at or not _local(local) or not _domain(domain):
            raise InvalidValue("This is no e-mail address; give one such as name@example.com.")
        if domain != domain.lower():
            raise InvalidValue("The part of an e-mail address after the @ is written in small letters.")

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Read `ana@Example.com`, ` ana@example.com `, or `"Ana" <ana@example.com>` (the name is dropped). Raises InvalidValue."""
        found = _in_brackets(raw) if len(raw) <= 1000 else None
        bare = unicodedata.normalize("NFC", (found[1] if found else raw).strip())
        local, at, domain = bare.partition("@")
        return cls(local + at + domain.lower())

    @property
    def key(self) -> str:
        """What two writings of one address share; for matching."""
        return unicodedata.normalize("NFC", self.address.casefold())


@dataclass(frozen=True)
class Email:
    """An address that a customer has, what it is for, and since which day it is theirs."""

    address: EmailAddress
    label: str | None = None
    since: date | None = None

    def __post_init__(self) -> None:
        require_label(self.label)

    @property
    def key(self) -> str:
        """What tells this address from the customer's others."""
        return self.address.key
