"""Who it could be: a number, an address, an external id or an id of ours to customers, the likeliest first, each with its reason.

Matched, never guessed (design, section 6): exact number of one customer, then a number that several share, then an address, then the
same last digits ("maybe"). Pointers are followed to the root, so a merged customer is found as the one it is part of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from domain.email import EmailAddress
from domain.external_id import ExternalId
from domain.fact import MatchHow
from domain.phone import PhoneKind, PhoneNumber
from projections.identity import LAST_DIGITS
from projections.tables import Cursor

DEEPEST = 50
"""Pointers followed at most; the rules of merging allow no circle, and this makes sure that a query ends."""

_ORDER = list(MatchHow)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look for: any of these."""

    phone: PhoneNumber | None = None
    email: EmailAddress | None = None
    external_id: ExternalId | None = None
    customer: UUID | None = None


@dataclass(frozen=True, slots=True)
class FoundCustomer:
    """Somebody whom it could be. `via` is the customer that was found before pointers were followed."""

    customer: UUID
    how: MatchHow
    via: UUID
    label: str | None = None
    since: date | None = None


def candidates(cursor: Cursor, asked: Asked) -> list[FoundCustomer]:
    """Each customer once, under the surest reason; the likeliest first. One query."""
    cursor.execute(_QUERY, _parameters(asked))
    rows = cursor.fetchall()
    found = [_found(row, len({other[0] for other in rows if other[2] == "phone"})) for row in rows]
    exact = [one for one in found if one.how is not MatchHow.MAYBE]
    best: dict[UUID, FoundCustomer] = {}
    for one in sorted(exact or found, key=lambda one: (_ORDER.index(one.how), one.since or date.min, str(one.customer))):
        best.setdefault(one.customer, one)
    return list(best.values())


def _found(row: tuple[Any, ...], sharing: int) -> FoundCustomer:
    customer, via, kind, line, label, since = row
    if kind == "phone":
        # A "direct" line that two customers have is in truth a shared one: both are offered, neither is taken for certain.
        alone = sharing == 1 and PhoneKind(line).is_one_persons
        how = MatchHow.DIRECT_LINE if alone else MatchHow.SHARED_LINE
    else:
        how = MatchHow(kind)
    return FoundCustomer(customer, how, via, label, since)


def _parameters(asked: Asked) -> dict[str, Any]:
    digits = asked.phone.last_digits(LAST_DIGITS) if asked.phone else None
    return {
        "phone": asked.phone.e164 if asked.phone else None,
        "digits": digits if digits and len(digits) == LAST_DIGITS else None,
        "email": asked.email.key if asked.email else None,
        "external": asked.external_id.customer if asked.external_id else None,
        "customer": asked.customer,
        "deepest": DEEPEST,
    }


_STANDS = "(h.ended_at IS NULL OR h.until >= current_date) AND (h.until IS NULL OR h.until >= current_date)"
_QUERY = f"""
WITH RECURSIVE found(customer, kind, line, label, since) AS (
    SELECT h.customer, 'phone', h.line, h.label, h.since FROM read.identity_handle h
    WHERE h.kind = 'phone' AND h.value = %(phone)s AND {_STANDS}
    UNION ALL
    SELECT h.customer, 'email', NULL, h.label, h.since FROM read.identity_handle h
    WHERE h.kind = 'email' AND h.value = %(email)s AND {_STANDS}
    UNION ALL
    (SELECT h.customer, 'maybe', h.line, h.label, h.since FROM read.identity_handle h
     WHERE h.last_digits = %(digits)s AND h.value <> %(phone)s AND {_STANDS} LIMIT 20)
    UNION ALL
    SELECT %(external)s::uuid, 'external_id', NULL, NULL, NULL WHERE %(external)s IS NOT NULL
    UNION ALL
    SELECT %(customer)s::uuid, 'id', NULL, NULL, NULL WHERE %(customer)s IS NOT NULL
), walk(via, customer, depth) AS (
    SELECT DISTINCT customer, customer, 0 FROM found
    UNION ALL
    SELECT w.via, p.target, w.depth + 1 FROM walk w
    JOIN read.identity_pointer p ON p.customer = w.customer AND p.ended_at IS NULL WHERE w.depth < %(deepest)s
), root AS (
    SELECT DISTINCT ON (via) via, customer FROM walk ORDER BY via, depth DESC
)
SELECT r.customer, f.customer, f.kind, f.line, f.label, f.since
FROM found f JOIN root r ON r.via = f.customer JOIN read.identity_known k ON k.customer = r.customer
"""
