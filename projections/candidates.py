"""Who it could be: a number, an address, an external id or an id of ours to customers, the likeliest first, each with its reason.

Matched, never guessed (design, section 6): exact number of one customer, then a number that several share, then an address, then the
same last digits ("maybe"). Pointers are followed to the root, so a merged customer is found as the one it is part of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
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

MOST_MAYBE = 20

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
    line: PhoneKind | None = None
    """Of a number: whom one reaches under it, as far as this customer goes."""


def candidates(cursor: Cursor, asked: Asked, at: datetime | None = None) -> list[FoundCustomer]:
    """Each customer once, under the surest reason; the likeliest first. One query.

    `at`: as it stood then, by what had happened up to then; None: now.
    """
    cursor.execute(_QUERY, {**_parameters(asked), **moment(at)})
    rows = [_Row(*row) for row in cursor.fetchall()]
    found = [_found(row, _is_alone(row, rows, asked)) for row in rows]
    sure = [one for one in found if one.how is not MatchHow.MAYBE]
    best: dict[UUID, FoundCustomer] = {}
    for one in sorted(sure or found, key=_rank):
        best.setdefault(one.customer, one)
    return list(best.values())


@dataclass(frozen=True, slots=True)
class _Row:
    customer: UUID
    via: UUID
    kind: str
    extension: str | None
    line: str | None
    label: str | None
    since: date | None


def _is_alone(row: _Row, rows: list[_Row], asked: Asked) -> bool:
    """Whether the number alone says who calls. A "direct" line that two customers have is in truth a shared one: both are offered,
    neither is taken for certain. A number with extensions behind it is one's own only with the extension."""
    extension = (asked.phone.extension if asked.phone else None) or ""
    sharing = {other.customer for other in rows if other.kind == "phone" and (not extension or other.extension == extension)}
    return row.extension == extension and sharing == {row.customer}


def _found(row: _Row, alone: bool) -> FoundCustomer:
    line = PhoneKind(row.line) if row.line else None
    how = MatchHow(row.kind) if row.kind != "phone" else MatchHow.SHARED_LINE
    if row.kind == "phone" and alone and line is not None and line.is_one_persons:
        how = MatchHow.DIRECT_LINE
    return FoundCustomer(row.customer, how, row.via, row.label, row.since, line)


def _rank(one: FoundCustomer) -> tuple[int, bool, bool, date, str]:
    """The surest reason; among equals whose own line it is, a fax last, then who has had it longest."""
    own = one.line is not None and one.line.is_one_persons
    return _ORDER.index(one.how), not own, one.line is PhoneKind.FAX, one.since or date.max, str(one.customer)


def _parameters(asked: Asked) -> dict[str, Any]:
    digits = asked.phone.last_digits(LAST_DIGITS) if asked.phone else None
    return {
        "phone": asked.phone.e164 if asked.phone else None,
        "digits": digits if digits and len(digits) == LAST_DIGITS else None,
        "email": asked.email.key if asked.email else None,
        "external": asked.external_id.customer if asked.external_id else None,
        "customer": asked.customer,
        "most_maybe": MOST_MAYBE,
    }


def moment(at: datetime | None) -> dict[str, Any]:
    """The parameters of STANDS and WALK: a moment in the past, or None for now."""
    return {"at": at or "infinity", "day": at.astimezone(UTC).date() if at else None, "deepest": DEEPEST}


STANDS = """h.given_at <= %(at)s
    AND (h.ended_at IS NULL OR h.ended_at > %(at)s OR h.until >= coalesce(%(day)s::date, current_date))"""
"""Of a handle `h`: it is theirs at that moment; one that was ended with a last day yet to come is theirs until then."""
WALK = """walk(via, customer, depth) AS (
    SELECT DISTINCT customer, customer, 0 FROM found
    UNION ALL
    SELECT w.via, p.target, w.depth + 1 FROM walk w JOIN read.identity_pointer p ON p.customer = w.customer
    WHERE w.depth < %(deepest)s AND p.given_at <= %(at)s AND (p.ended_at IS NULL OR p.ended_at > %(at)s)
), root AS (
    SELECT DISTINCT ON (via) via, customer FROM walk ORDER BY via, depth DESC
)"""
"""From the customers in `found` along the pointers to the roots."""

_QUERY = f"""
WITH RECURSIVE found(customer, kind, extension, line, label, since) AS (
    SELECT h.customer, 'phone', h.extension, h.line, h.label, h.since FROM read.identity_handle h
    WHERE h.kind = 'phone' AND h.value = %(phone)s AND {STANDS}
    UNION ALL
    SELECT h.customer, 'email', NULL, NULL, h.label, h.since FROM read.identity_handle h
    WHERE h.kind = 'email' AND h.value = %(email)s AND {STANDS}
    UNION ALL
    (SELECT h.customer, 'maybe', h.extension, h.line, h.label, h.since FROM read.identity_handle h
     WHERE h.last_digits = %(digits)s AND h.value <> %(phone)s AND {STANDS} ORDER BY h.given_at, h.customer LIMIT %(most_maybe)s)
    UNION ALL
    SELECT %(external)s::uuid, 'external_id', NULL, NULL, NULL, NULL WHERE %(external)s IS NOT NULL
    UNION ALL
    SELECT %(customer)s::uuid, 'id', NULL, NULL, NULL, NULL WHERE %(customer)s IS NOT NULL
), {WALK}
SELECT r.customer, f.customer, f.kind, f.extension, f.line, f.label, f.since
FROM found f JOIN root r ON r.via = f.customer
WHERE EXISTS (  -- one of two, asked together: alone in an OR, each would be read whole and hashed
    SELECT FROM read.identity_known k WHERE k.customer = r.customer AND k.captured_at <= %(at)s
    UNION ALL
    SELECT FROM read.timeline_entry e WHERE e.customer = r.customer AND e.occurred_at <= %(at)s)
"""
