"""Every interaction, and every decision: one row an event, so that nothing is left out. Whose an interaction is, is computed anew
from all its elements whenever one of them changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson

from domain.customer import CustomerCaptured
from domain.fact import FactWithdrawn, Match, Report
from domain.interaction import InteractionAttributed
from domain.pointer import ExternalIdLinked, ExternalIdUnlinked
from domain.purchase import PurchaseMade, PurchaseReturned
from projections.attribution import Decided, Element, customer_of
from projections.batch import Batch, Projection, Recorded
from projections.tables import Column, Row, Table, Tables, document

ENTRY = Table(
    "timeline_entry",
    (
        Column("key", "uuid"),
        Column("stream", "uuid"),
        Column("version", "integer"),
        Column("customer", "uuid"),  # whose it is; null: nobody's yet
        Column("type", "text NOT NULL"),
        Column("fact", "boolean NOT NULL"),
        Column("active", "boolean NOT NULL"),  # not withdrawn, and not recorded anew since
        Column("matched", "uuid"),  # whom a fact was matched to when it was recorded
        Column("how", "text"),
        Column("occurred_at", "timestamptz NOT NULL"),
        Column("said_at", "timestamptz"),
        Column("recorded_at", "timestamptz", stable=False),
        Column("log_time", "timestamptz NOT NULL", stable=False),
        Column("topic", '"char" NOT NULL'),
        Column("partition", "smallint NOT NULL"),
        Column("log_offset", "bigint NOT NULL", stable=False),
        Column("place", "integer NOT NULL"),
        Column("actor", "text"),
        Column("source", "text"),
        Column("subject", "text"),
        Column("fact_id", "text"),
        Column("batch", "text"),
        Column("summary", "text NOT NULL"),  # JSON with sorted keys
    ),
    key=("key", "stream", "version", "topic"),
    indexes=("(customer, occurred_at, topic, partition, log_offset, place)", "(batch) WHERE batch IS NOT NULL AND active"),
)


def fold(batch: Batch, tables: Tables) -> None:
    """Rows by key: an interaction's customer depends on all the facts and decisions under its key, and on nothing else."""
    interactions = {recorded.key for recorded in batch if recorded.topic == "f"}
    rows = tables[ENTRY].load_by(("key", "topic"), {(key, "f") for key in interactions})
    by_key: dict[UUID, list[Row]] = {key: [] for key in interactions}
    for row in rows.values():
        by_key[row["key"]].append(dict(row))
    others = []
    for recorded in batch:
        if recorded.topic == "f":
            by_key[recorded.key].append(_row(recorded))
        else:
            others.append(_row(recorded))
    for entries in by_key.values():
        _settle(entries)
    tables[ENTRY].store([*others, *(row for entries in by_key.values() for row in entries)])


def _row(recorded: Recorded) -> Row:
    event = recorded.event
    report: Report | None = getattr(event, "report", None)
    match: Match | None = getattr(event, "match", None)
    withdrawn = isinstance(event, FactWithdrawn)
    return {
        "key": recorded.key,
        "stream": recorded.stream,
        "version": recorded.version,
        "customer": _customer(recorded),
        "type": recorded.type,
        "fact": report is not None or withdrawn,
        "active": not withdrawn,
        "matched": match.customer if match else None,
        "how": str(match.how) if match else None,
        "occurred_at": recorded.occurred_at,
        "said_at": recorded.said_at,
        "recorded_at": recorded.recorded_at,
        "log_time": recorded.log_time,
        "topic": recorded.topic,
        "partition": recorded.partition,
        "log_offset": recorded.log_offset,
        "place": recorded.place,
        "actor": recorded.actor,
        "source": report.source if report else None,
        "subject": report.subject if report else None,
        "fact_id": report.id if report else None,
        "batch": report.batch if report else event.batch if isinstance(event, FactWithdrawn) else None,
        "summary": document(_summary(event)),
    }


def _customer(recorded: Recorded) -> UUID | None:
    """Of a decision: the customer whose stream it is, or whom it names. An interaction's is settled afterwards."""
    match recorded.event:
        case ExternalIdLinked(customer=customer) | ExternalIdUnlinked(customer=customer):
            return customer
        case _:
            return None if recorded.topic == "f" else recorded.stream


def _summary(event: Any) -> dict[str, Any]:
    """What a line of the timeline says; the whole event is in the index."""
    match event:
        case PurchaseMade() | PurchaseReturned():
            said = {"total": event.total.text, "currency": event.total.currency, "lines": len(event.lines), "reason": event.reason}
            return {name: value for name, value in said.items() if value is not None}
        case InteractionAttributed(customer=customer, how=how):
            return {"customer": str(customer), **({"how": str(how)} if how else {})}
        case CustomerCaptured(external_id=external_id) if external_id:
            return {"external_id": {"source": external_id.source, "id": external_id.id}}
        case _:
            return {}


def _settle(entries: list[Row]) -> None:
    """Which rows of one interaction are active, and whose it is; from all of its rows."""
    entries.sort(key=lambda row: (row["stream"], row["version"]))
    elements: dict[UUID, Element] = {}
    for row, following in zip(entries, [*entries[1:], None], strict=True):
        if row["fact"] and row["how"] is not None:
            row["active"] = following is None or following["stream"] != row["stream"]
            # Of a fact recorded anew, the latest recording counts.
            elements[row["stream"]] = Element(order_of(row), row["matched"], row["active"])
    customer = customer_of(_decided(entries), elements.values())
    for row in entries:
        row["customer"] = customer


def order_of(row: Row) -> tuple[Any, str, int, int, int]:
    """The order of a timeline."""
    return (row["occurred_at"], row["topic"], row["partition"], row["log_offset"], row["place"])


def _decided(entries: Iterable[Row]) -> Decided | None:
    decisions = [row for row in entries if row["key"] == row["stream"] and not row["fact"]]
    if not decisions:
        return None
    said = orjson.loads(decisions[-1]["summary"]).get("customer")
    return Decided(None if said is None else UUID(said))


TIMELINE = Projection("timeline", 2, (ENTRY,), ("",), fold)
