"""A customer as a row describes one: raw texts, before anybody made a telephone number of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class PhoneDraft:
    """A telephone number as written. `kind` is the mapping's word (`direct`, `shared`, `mobile`, …) or None."""

    number: str
    kind: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class EmailDraft:
    """An e-mail address as written."""

    address: str
    label: str | None = None


@dataclass(frozen=True)
class AddressDraft:
    """A postal address as written; at least one part is there. `country` is what the mapping made of it, ISO 3166-1 alpha-2."""

    lines: tuple[str, ...] = ()
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class CustomerDraft:
    """A customer met in a file: captured once for each external id, as the first row describes it.

    `phone_region` (ISO 3166-1 alpha-2) is where numbers without an international prefix are from; None: the installation's.
    `met_at` (UTC, not ahead of now) is when the event happened with which it was met first; None where customers are imported
    alone. `file` and `line` say where that was; these three are no part of the customer.
    """

    source: str
    external_id: str
    company: str | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    form_of_address: str | None = None
    phones: tuple[PhoneDraft, ...] = ()
    emails: tuple[EmailDraft, ...] = ()
    addresses: tuple[AddressDraft, ...] = ()
    language: str | None = None
    phone_region: str | None = None
    met_at: datetime | None = None
    file: str = ""
    line: int = 0
