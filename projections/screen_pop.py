"""The screen pop: who it is and why we think so, and for the one (or the best) match what they are worth, what they did last, how
old the answer is, and each source's own last word. Two queries: who, and everything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from domain.ids import POINTERS
from projections.candidates import DEEPEST, Asked, FoundCustomer, candidates
from projections.customer import CUSTOMER
from projections.identity import IDENTITY
from projections.ledger import LEDGER
from projections.tables import Cursor
from projections.timeline import TIMELINE

LAST = 5
"""So many of each kind are shown."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a customer is worth in one currency: orders and adjustments less returns."""

    currency: str
    value: Decimal
    orders: int
    returns: int
    adjustments: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """One order or return."""

    occurred_at: datetime
    source: str
    subject: str
    total: Decimal
    currency: str
    lines: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of the timeline."""

    occurred_at: datetime
    type: str
    position: str
    source: str | None
    subject: str | None


@dataclass(frozen=True, slots=True)
class Age:
    """How old the answer is: everything appended before `seconds` ago is in it; `events` are known not to be."""

    seconds: float
    events: int
    positions: str
    """What the read models have folded, to be used as `after=`."""


@dataclass(frozen=True, slots=True)
class Found:
    """The customer, composed of all that is merged into it."""

    customer: UUID
    merged: tuple[UUID, ...]
    documents: tuple[dict[str, Any], ...]
    """The customer's own document first, then those merged into it, as `projections/customer.py` describes them."""
    external_ids: tuple[tuple[str, str], ...]
    """(source, id), linked ones included."""
    values: tuple[Value, ...]
    orders: tuple[Purchase, ...]
    returns: tuple[Purchase, ...]
    timeline: tuple[Happened, ...]
    sources: tuple[tuple[str, datetime], ...]
    """Of every source of purchases: (source, when the last thing that it told us of anybody happened). Where one has told nothing of
    this customer, that is how old the nothing is."""
    parked: bool
    """Part of what is known of this customer is set aside; the answer is incomplete."""


@dataclass(frozen=True, slots=True)
class ScreenPop:
    """The answer. `found` is None where nobody came into question; where several did, it is the first of the candidates."""

    candidates: tuple[FoundCustomer, ...]
    found: Found | None
    age: Age


def pop(cursor: Cursor, asked: Asked) -> ScreenPop:
    """Two round trips."""
    who = candidates(cursor, asked)
    customer = who[0].customer if who else None
    rests_on = (IDENTITY, CUSTOMER, TIMELINE, LEDGER)
    cursor.execute(
        _QUERY,
        {
            "customer": customer,
            "last": LAST,
            "deepest": DEEPEST,
            "pointers": POINTERS,
            "projections": [projection.name for projection in rests_on],
            "topics": [projection.topics for projection in rests_on],
        },
    )
    ((age, body),) = cursor.fetchall()
    found = None if customer is None else _found(customer, orjson.loads(body))
    return ScreenPop(tuple(who), found, _age(orjson.loads(age)))


def _age(row: dict[str, Any]) -> Age:
    return Age(max(0.0, round(float(row["seconds"] or 0), 3)), int(row["events"] or 0), row["positions"] or "")


def _found(customer: UUID, body: dict[str, Any]) -> Found:
    documents = [orjson.loads(text) for text in body["documents"]]
    linked = [(one["source"], one["external_id"]) for one in body["links"]]
    own = [(one["external_id"]["source"], one["external_id"]["id"]) for one in documents if one.get("external_id")]
    return Found(
        customer,
        tuple(UUID(one) for one in body["family"] if UUID(one) != customer),
        tuple(documents),
        tuple(dict.fromkeys([*own, *linked])),
        tuple(Value(one["currency"], Decimal(one["value"]), one["orders"], one["returns"], one["adjustments"]) for one in body["totals"]),
        tuple(_purchase(one) for one in body["orders"]),
        tuple(_purchase(one) for one in body["returns"]),
        tuple(_happened(one) for one in body["timeline"]),
        tuple((one["source"], datetime.fromisoformat(one["last"])) for one in body["sources"]),
        bool(body["parked"]),
    )


def _purchase(row: dict[str, Any]) -> Purchase:
    at = datetime.fromisoformat(row["occurred_at"])
    return Purchase(at, row["source"], row["subject"], Decimal(row["total"]), row["currency"], row["line_count"], row["reason"])


def _happened(row: dict[str, Any]) -> Happened:
    position = f"{row['topic']}{row['partition']}:{row['log_offset']}"
    return Happened(datetime.fromisoformat(row["occurred_at"]), row["type"], position, row["source"], row["subject"])


# Each member of the family is asked for its last few, and of these the last few are taken: so an index answers, however much there is.
# Amounts go through JSON as text: a JSON number would pass through a float on its way.
_LATEST = "ORDER BY {of}.occurred_at DESC, {of}.topic DESC, {of}.partition DESC, {of}.log_offset DESC, {of}.place DESC LIMIT %(last)s"
_PURCHASES = f"""(
    SELECT coalesce(json_agg(row_to_json(x)), '[]') FROM (
        SELECT e.occurred_at, e.source, e.subject, e.total::text, e.currency, e.line_count, e.reason
        FROM unnest(family.ids) m(customer) CROSS JOIN LATERAL (
            SELECT l.* FROM read.ledger_entry l WHERE l.customer = m.customer AND l.kind = '{{kind}}' AND l.active
            {_LATEST.format(of="l")}) e
        {_LATEST.format(of="e")}) x)"""

_QUERY = f"""
WITH RECURSIVE member(customer, depth) AS (
    SELECT %(customer)s::uuid, 0 WHERE %(customer)s IS NOT NULL
    UNION ALL
    SELECT p.customer, m.depth + 1 FROM member m
    JOIN read.identity_pointer p ON p.target = m.customer AND p.ended_at IS NULL WHERE m.depth < %(deepest)s
), family AS (
    SELECT array_agg(DISTINCT customer) AS ids FROM member
), at AS (
    SELECT c.partition, c.next_offset, i.next_offset AS indexed,
           CASE WHEN c.next_offset >= i.next_offset THEN i.read_at ELSE c.log_time END AS known_until
    FROM index.checkpoint i JOIN read.checkpoint c ON c.partition = i.topic || i.partition
    JOIN unnest(%(projections)s::text[], %(topics)s::text[]) p(name, topics)
        ON p.name = c.projection AND strpos(p.topics, i.topic::text) > 0
), source(name) AS (
    (SELECT l.source FROM read.ledger_entry l WHERE l.active ORDER BY l.source LIMIT 1)
    UNION ALL
    SELECT (SELECT l.source FROM read.ledger_entry l WHERE l.active AND l.source > s.name ORDER BY l.source LIMIT 1)
    FROM source s WHERE s.name IS NOT NULL
)
SELECT (
    SELECT json_build_object(
        'seconds', extract(epoch FROM clock_timestamp() - min(known_until)), 'events', sum(greatest(0, behind)),
        'positions', string_agg(partition || ':' || (next_offset - 1), ',' ORDER BY partition) FILTER (WHERE next_offset > 0))
    FROM (SELECT partition, min(next_offset) AS next_offset, max(indexed - next_offset) AS behind, min(known_until) AS known_until
          FROM at GROUP BY partition) p
)::text, (
    SELECT json_build_object(
        'family', family.ids,
        'documents', (SELECT coalesce(json_agg(c.document ORDER BY c.customer <> %(customer)s, c.captured_at, c.customer), '[]')
                      FROM read.customer c WHERE c.customer = ANY(family.ids)),
        'links', (SELECT coalesce(json_agg(json_build_object('source', p.source, 'external_id', p.external_id)
                                           ORDER BY p.source, p.external_id), '[]')
                  FROM read.identity_pointer p WHERE p.target = ANY(family.ids) AND p.kind = 'link' AND p.ended_at IS NULL),
        'totals', (SELECT coalesce(json_agg(row_to_json(x)), '[]') FROM (
            SELECT t.currency, trim_scale(sum(t.value))::text AS value, sum(t.orders)::bigint AS orders, sum(t.returns)::bigint AS returns,
                   sum(t.adjustments)::bigint AS adjustments
            FROM read.ledger_total t WHERE t.customer = ANY(family.ids) GROUP BY t.currency ORDER BY t.currency) x),
        'orders', {_PURCHASES.format(kind="order")},
        'returns', {_PURCHASES.format(kind="return")},
        'timeline', (SELECT coalesce(json_agg(row_to_json(x)), '[]') FROM (
            SELECT e.occurred_at, e.type, e.topic, e.partition, e.log_offset, e.source, e.subject
            FROM unnest(family.ids) m(customer) CROSS JOIN LATERAL (
                SELECT t.* FROM read.timeline_entry t WHERE t.customer = m.customer AND t.active {_LATEST.format(of="t")}) e
            {_LATEST.format(of="e")}) x),
        'sources', (SELECT coalesce(json_agg(row_to_json(x)), '[]') FROM (
            SELECT s.name AS source, (SELECT max(l.occurred_at) FROM read.ledger_entry l WHERE l.source = s.name AND l.active) AS last
            FROM source s WHERE s.name IS NOT NULL ORDER BY s.name) x),
        'parked', EXISTS (SELECT FROM read.parked k WHERE k.key = ANY(family.ids) OR k.key = %(pointers)s OR EXISTS (
            SELECT FROM read.timeline_entry t WHERE t.key = k.key AND t.customer = ANY(family.ids))))
    FROM family
)::text
"""
