"""Events said shortly, and the rows that a projection makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.event_types import BY_CLASS
from domain.fact import UNMATCHED, Match, MatchHow, Report
from domain.ids import POINTERS
from domain.money import Money
from domain.purchase import PurchaseMade, PurchaseReturned
from infra.log.partition import partition_of
from infra.postgres.connection import Cursor, connect
from projections.batch import Batch, Projection, Recorded
from projections.tables import Row, Table, Tables

ANA, BOB, EVA = UUID(int=0xA), UUID(int=0xB), UUID(int=0xE)
DAY = timedelta(days=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
BY_ID = MatchHow.ID


@dataclass
class Past:
    """What has happened so far; hands out versions and positions."""

    versions: dict[tuple[UUID, UUID], int] = field(default_factory=dict)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)

    def of(self, customer: UUID, event: Any, day: int = 0) -> Recorded:
        """A decision about a customer, so many days after START."""
        return self.at("d", customer, customer, event, day)

    def pointer(self, stream: UUID, event: Any, day: int = 0) -> Recorded:
        """A merge, a link, or the end of one."""
        return self.at("d", POINTERS, stream, event, day)

    def about(self, subject: str, event: Any, day: int = 0, *, fact_id: str | None = None) -> Recorded:
        """What is decided about an order, or about one fact of it."""
        key = report(subject).key
        return self.at("f", key, key if fact_id is None else report(subject, fact_id).stream, event, day)

    def fact(self, event: Any, day: int = 0) -> Recorded:
        """What was reported."""
        return self.at("f", event.report.key, event.report.stream, event, day)

    def at(self, topic: str, key: UUID, stream: UUID, event: Any, day: int) -> Recorded:
        """One event with its place in the log."""
        partition = partition_of(str(key).encode(), 4)
        offset = self.ends[topic, partition] = self.ends.get((topic, partition), -1) + 1
        version = self.versions[key, stream] = self.versions.get((key, stream), 0) + 1
        when, name = START + day * DAY, BY_CLASS[type(event)].name
        return Recorded(
            key, stream, version, topic, partition, offset, 0, name, event, frozenset(), when, None, when, when, "user:ana"
        )  # fmt: skip


def report(subject: str, fact_id: str = "1", *, batch: str | None = None) -> Report:
    return Report("shop", subject, fact_id, batch)


def matched(customer: UUID | None) -> Match:
    return UNMATCHED if customer is None else Match(customer, BY_ID)


def bought(
    subject: str, total: str, customer: UUID | None = ANA, *, currency: str = "EUR", reason: str | None = None, fact_id: str = "1"
) -> PurchaseMade:
    return PurchaseMade(report(subject, fact_id), matched(customer), Money(Decimal(total), currency), reason=reason)


def returned(subject: str, total: str, customer: UUID | None = ANA, *, fact_id: str = "1") -> PurchaseReturned:
    return PurchaseReturned(report(subject, fact_id), matched(customer), Money(Decimal(total), "EUR"))


@dataclass
class ReadModel:
    """The tables of one projection, empty at first."""

    cursor: Cursor
    projection: Projection

    def fold(self, *events: Recorded) -> None:
        """All in one batch."""
        minded = [recorded for recorded in events if self.projection.reads(recorded.topic, recorded.type)]
        self.projection.fold(Batch(minded), Tables(self.cursor, "read", self.projection.tables))

    def rows(self, table: Table) -> list[Row]:
        """By primary key."""
        self.cursor.execute(f"SELECT {', '.join(table.names)} FROM read.{table.name} ORDER BY {', '.join(table.key)}")
        return [dict(zip(table.names, row, strict=True)) for row in self.cursor.fetchall()]


@contextmanager
def read_model(dsn: str, projection: Projection) -> Iterator[ReadModel]:
    """Within a transaction that is never committed."""
    connection = connect(dsn, autocommit=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA read")
            for table in projection.tables:
                cursor.execute(table.create_sql("read"))
            yield ReadModel(cursor, projection)
    finally:
        connection.close()
