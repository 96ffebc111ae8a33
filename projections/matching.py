"""Matches numbers and addresses in bulk, for facts that name their customer by one: two queries for thousands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from domain.email import EmailAddress
from domain.fact import UNMATCHED, Candidate, Match, MatchHow
from domain.phone import PhoneKind, PhoneNumber
from projections.candidates import DEEPEST
from projections.tables import Cursor

MOST_CANDIDATES = 20

Held = tuple[UUID, str | None]
"""(root customer, kind of line)"""


@dataclass(frozen=True, slots=True)
class Owners:
    """Who has each of the numbers and addresses that were asked for, after pointers were followed."""

    phones: Mapping[str, list[Held]]
    emails: Mapping[str, list[Held]]

    def match(self, phone: PhoneNumber | None, email: EmailAddress | None) -> Match:
        """By the number, else by the address. Several customers: all are candidates, none is taken."""
        by_phone = self.phones.get(phone.e164, []) if phone else []
        if by_phone:
            alone = len(by_phone) == 1 and PhoneKind(by_phone[0][1] or PhoneKind.SHARED_LINE).is_one_persons
            return _match(by_phone, MatchHow.DIRECT_LINE if alone else MatchHow.SHARED_LINE)
        by_email = self.emails.get(email.key, []) if email else []
        return _match(by_email, MatchHow.EMAIL) if by_email else UNMATCHED


def _match(held: list[Held], how: MatchHow) -> Match:
    if len(held) == 1:
        return Match(held[0][0], how)
    return Match(None, how, tuple(Candidate(customer, how) for customer, _ in held[:MOST_CANDIDATES]))


def owners(cursor: Cursor, phones: Collection[PhoneNumber], emails: Collection[EmailAddress]) -> Owners:
    """Look all of them up."""
    return Owners(
        _owners(cursor, "phone", sorted({phone.e164 for phone in phones})), _owners(cursor, "email", sorted({one.key for one in emails}))
    )


def _owners(cursor: Cursor, kind: str, values: list[str]) -> dict[str, list[Held]]:
    if not values:
        return {}
    cursor.execute(_QUERY, {"kind": kind, "values": values, "deepest": DEEPEST})
    found: dict[str, dict[UUID, str | None]] = {}
    for value, customer, line in cursor.fetchall():
        found.setdefault(value, {}).setdefault(customer, line)
    return {value: list(held.items()) for value, held in found.items()}


_QUERY = """
WITH RECURSIVE found AS (
    SELECT h.value, h.customer, h.line FROM unnest(%(values)s::text[]) v(value)
    JOIN read.identity_handle h ON h.kind = %(kind)s AND h.value = v.value
    WHERE h.ended_at IS NULL AND (h.until IS NULL OR h.until >= current_date)
), walk(via, customer, depth) AS (
    SELECT DISTINCT customer, customer, 0 FROM found
    UNION ALL
    SELECT w.via, p.target, w.depth + 1 FROM walk w
    JOIN read.identity_pointer p ON p.customer = w.customer AND p.ended_at IS NULL WHERE w.depth < %(deepest)s
), root AS (
    SELECT DISTINCT ON (via) via, customer FROM walk ORDER BY via, depth DESC
)
SELECT f.value, r.customer, f.line FROM found f JOIN root r ON r.via = f.customer ORDER BY f.value, r.customer, f.line
"""
