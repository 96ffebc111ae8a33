"""Matches numbers and addresses in bulk, for facts that name their customer by one: two queries for thousands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from domain.email import EmailAddress
from domain.fact import UNMATCHED, Candidate, Match, MatchHow
from domain.phone import PhoneKind, PhoneNumber
from projections.candidates import STANDS, WALK, moment
from projections.identity import LAST_DIGITS
from projections.tables import Cursor

MOST_CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody who has a number or an address: the customer that was given it, and the root that this one is part of."""

    customer: UUID
    root: UUID
    extension: str
    line: str | None
    sure: bool
    """It is this number; not only its last digits."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Who has each of the numbers and addresses that were asked for."""

    phones: Mapping[str, list[Held]]
    emails: Mapping[str, list[Held]]

    def match(self, phone: PhoneNumber | None, email: EmailAddress | None) -> Match:
        """By whichever of the two is surer. Where several customers are equally likely, all are candidates and none is taken.

        A match names the customer that was given the number, not the root: after an un-merge it is still right.
        """
        by_phone = self.phones.get(phone.e164, []) if phone else []
        by_email = self.emails.get(email.key, []) if email else []
        found = [(_how(phone, by_phone, held), held) for held in by_phone if phone] + [(MatchHow.EMAIL, held) for held in by_email]
        if any(held.sure for _, held in found):
            found = [(how, held) for how, held in found if held.sure]
        return _match(sorted(found, key=lambda one: _ORDER.index(one[0])))


_ORDER = list(MatchHow)


def _how(phone: PhoneNumber, by_phone: list[Held], held: Held) -> MatchHow:
    """As `candidates` says it, for one of those who have the number."""
    if not held.sure:
        return MatchHow.MAYBE
    extension = phone.extension or ""
    sharing = {other.root for other in by_phone if other.sure and extension in {"", other.extension}}
    alone = held.extension == extension and sharing == {held.root}
    return MatchHow.DIRECT_LINE if alone and held.line and PhoneKind(held.line).is_one_persons else MatchHow.SHARED_LINE


def _match(found: list[tuple[MatchHow, Held]]) -> Match:
    """From those who come into question, the surest first."""
    if not found:
        return UNMATCHED
    how = found[0][0]
    firsts: dict[UUID, tuple[MatchHow, Held]] = {}
    for one in found:
        firsts.setdefault(one[1].root, one)
    surest = [held for reason, held in firsts.values() if reason is how]
    taken = surest[0].customer if len(surest) == 1 and surest[0].sure else None
    others = [Candidate(held.customer, reason) for reason, held in firsts.values() if held.customer != taken]
    return Match(taken, how, tuple(others[:MOST_CANDIDATES]))


def owners(cursor: Cursor, phones: Collection[PhoneNumber], emails: Collection[EmailAddress]) -> Owners:
    """Look all of them up."""
    digits = {phone.e164: phone.last_digits(LAST_DIGITS) for phone in phones}
    return Owners(_owners(cursor, "phone", digits), _owners(cursor, "email", dict.fromkeys((one.key for one in emails), "")))


def _owners(cursor: Cursor, kind: str, asked: Mapping[str, str]) -> dict[str, list[Held]]:
    """`asked`: values, each with its last digits (fewer than enough: it is like no other)."""
    if not asked:
        return {}
    values = sorted(asked)
    digits = [asked[value] if len(asked[value]) == LAST_DIGITS else None for value in values]
    cursor.execute(_QUERY, {"kind": kind, "values": values, "digits": digits, **moment(None)})
    found: dict[str, list[Held]] = {}
    for value, *held in cursor.fetchall():
        found.setdefault(value, []).append(Held(*held))
    return found


_QUERY = f"""
WITH RECURSIVE asked AS (
    SELECT * FROM unnest(%(values)s::text[], %(digits)s::text[]) v(value, digits)
), found AS (
    SELECT v.value, h.customer, h.extension, h.line, h.given_at, true AS sure FROM asked v
    JOIN read.identity_handle h ON h.kind = %(kind)s AND h.value = v.value WHERE {STANDS}
    UNION ALL
    SELECT v.value, h.customer, h.extension, h.line, h.given_at, false FROM asked v
    JOIN read.identity_handle h ON h.last_digits = v.digits AND h.value <> v.value WHERE {STANDS}
), {WALK}
SELECT f.value, f.customer, r.customer, f.extension, f.line, f.sure FROM found f JOIN root r ON r.via = f.customer
ORDER BY f.value, f.given_at, f.customer, f.extension
"""
