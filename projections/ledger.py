"""Orders, returns and lifetime value. Every purchase is a row; totals are sums that commute, the last orders are queried."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.fact import FactWithdrawn
from domain.interaction import InteractionAttributed, InteractionDetached
from domain.money import EXACT
from domain.purchase import PurchaseMade, PurchaseReturned
from projections.attribution import Decided, Element, customer_of
from projections.batch import Batch, Projection, Recorded
from projections.tables import Column, Row, Table, Tables

ENTRY = Table(
    "ledger_entry",
    (
        Column("key", "uuid"),
        Column("stream", "uuid"),
        Column("version", "integer NOT NULL"),
        Column("customer", "uuid"),  # whose it is; null: nobody's yet
        Column("matched", "uuid"),
        Column("active", "boolean NOT NULL"),  # not withdrawn
        Column("kind", "text NOT NULL"),  # order, return, adjustment
        Column("occurred_at", "timestamptz NOT NULL"),
        Column("topic", '"char" NOT NULL'),
        Column("partition", "smallint NOT NULL"),
        Column("log_offset", "bigint NOT NULL", stable=False),
        Column("place", "integer NOT NULL"),
        Column("currency", "text NOT NULL"),
        Column("total", "numeric NOT NULL"),  # as reported; a return's counts against the value
        Column("line_count", "integer NOT NULL"),
        Column("reason", "text"),
        Column("source", "text NOT NULL"),
        Column("subject", "text NOT NULL"),
    ),
    key=("key", "stream"),
    indexes=("(customer, kind, occurred_at) WHERE active", "(source, occurred_at) WHERE active"),
)
DECISION = Table(
    "ledger_decision",
    (Column("key", "uuid"), Column("version", "integer NOT NULL"), Column("customer", "uuid")),  # null: detached
    key=("key",),
)
TOTAL = Table(
    "ledger_total",
    (
        Column("customer", "uuid"),
        Column("currency", "text"),
        Column("orders", "bigint NOT NULL DEFAULT 0"),
        Column("returns", "bigint NOT NULL DEFAULT 0"),
        Column("adjustments", "bigint NOT NULL DEFAULT 0"),
        Column("entries", "bigint NOT NULL DEFAULT 0"),
        Column("value", "numeric NOT NULL DEFAULT 0"),
    ),
    key=("customer", "currency"),
)
_COUNTED = {"order": "orders", "return": "returns", "adjustment": "adjustments"}

Amounts = dict[tuple[str, str], dict[str, Any]]


def fold(batch: Batch, tables: Tables) -> None:
    """Rows by key; whose they are depends on all that stands under the key; totals move by what left and what came."""
    keys = {(key,) for key in batch.keys_touched}
    before = tables[ENTRY].load_by(("key",), keys)
    decisions = tables[DECISION].load(keys)
    entries = {key: dict(row) for key, row in before.items()}
    for recorded in batch:
        match recorded.event:
            case PurchaseMade() | PurchaseReturned():
                entries[recorded.key, recorded.stream] = _row(recorded, recorded.event)
            case FactWithdrawn() if (recorded.key, recorded.stream) in entries:
                entries[recorded.key, recorded.stream].update(active=False, version=recorded.version)
            case InteractionAttributed(customer=customer):
                decisions[recorded.key,] = {"key": recorded.key, "version": recorded.version, "customer": customer}
            case InteractionDetached():
                decisions[recorded.key,] = {"key": recorded.key, "version": recorded.version, "customer": None}
            case _:
                pass
    _settle(entries.values(), decisions)
    tables[ENTRY].store(entries.values())
    tables[DECISION].store(decisions.values())
    tables[TOTAL].add(_moved(before.values(), entries.values()), empty="entries")


def _row(recorded: Recorded, event: PurchaseMade | PurchaseReturned) -> Row:
    if not event.total.amount.is_finite():
        raise ValueError("an amount that is no number would stay in a sum for ever")
    kind = "return" if isinstance(event, PurchaseReturned) else "adjustment" if event.reason == "adjustment" else "order"
    return {
        "key": recorded.key,
        "stream": recorded.stream,
        "version": recorded.version,
        "customer": None,
        "matched": event.match.customer,
        "active": True,
        "kind": kind,
        "occurred_at": recorded.occurred_at,
        "topic": recorded.topic,
        "partition": recorded.partition,
        "log_offset": recorded.log_offset,
        "place": recorded.place,
        "currency": event.total.currency,
        "total": event.total.amount,
        "line_count": len(event.lines),
        "reason": event.reason,
        "source": event.report.source,
        "subject": event.report.subject,
    }


def _settle(entries: Iterable[Row], decisions: dict[tuple[Any, ...], Row]) -> None:
    """Whose each interaction is, written to all of its rows."""
    by_key: dict[UUID, list[Row]] = {}
    for row in entries:
        by_key.setdefault(row["key"], []).append(row)
    for key, rows in by_key.items():
        decision = decisions.get((key,))
        decided = None if decision is None else Decided(decision["customer"])
        customer = customer_of(decided, [_element(row) for row in rows])
        for row in rows:
            row["customer"] = customer


def _element(row: Row) -> Element:
    order = (row["occurred_at"], row["topic"], row["partition"], row["log_offset"], row["place"])
    return Element(order, row["matched"], row["active"])


def _moved(before: Iterable[Row], after: Iterable[Row]) -> Amounts:
    """What each customer's totals change by."""
    amounts: Amounts = {}
    for rows, sign in ((before, -1), (after, 1)):
        for row in rows:
            if row["active"] and row["customer"] is not None:
                total = amounts.setdefault((str(row["customer"]), row["currency"]), {"entries": 0, "value": Decimal(0)})
                total["entries"] += sign
                total[_COUNTED[row["kind"]]] = total.get(_COUNTED[row["kind"]], 0) + sign
                signed = -row["total"] if (row["kind"] == "return") == (sign == 1) else row["total"]
                total["value"] = EXACT.add(total["value"], signed)
    return {key: amount for key, amount in amounts.items() if any(amount.values())}


LEDGER = Projection("ledger", 2, (ENTRY, DECISION, TOTAL), ("purchase.", "fact.", "interaction."), fold, topics="f")
