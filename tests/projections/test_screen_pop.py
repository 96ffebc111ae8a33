"""The screen pop: who and why, value, last orders and returns, the age of it all, and the source's own last word. Two round trips."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest

from consumers.projecting.schema import create_read_models
from domain.customer import CustomerCaptured
from domain.customer_phones import PhoneAdded
from domain.external_id import ExternalId
from domain.fact import FactWithdrawn, MatchHow
from domain.interaction import InteractionAttributed
from domain.phone import Phone, PhoneNumber
from domain.pointer import CustomerMerged, ExternalIdLinked
from infra.log.contract import Topic
from infra.postgres.connection import Cursor, connect
from infra.postgres.schema import create_index
from projections.batch import Batch, Recorded
from projections.candidates import Asked
from projections.registry import PROJECTIONS
from projections.screen_pop import ScreenPop, pop
from projections.tables import Tables
from tests.projections.said import ANA, BOB, DAY, EVA, START, Past, bought, returned

NUMBER = PhoneNumber("+40211234567")


class Partitions:
    """All that making the tables needs to know of a log."""

    def partitions(self, topic: Topic) -> int:
        return 4


class Desk:
    """Everything folded, at a desk where the telephone rings."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor, self.past = cursor, Past()
        log: Any = Partitions()
        create_index(cursor, log)
        create_read_models(cursor, log, PROJECTIONS)

    def happens(self, *events: Recorded) -> None:
        for projection in PROJECTIONS:
            minded = [recorded for recorded in events if projection.reads(recorded.topic, recorded.type)]
            projection.fold(Batch(minded), Tables(self.cursor, "read", projection.tables))

    def pop(self, **asked: Any) -> ScreenPop:
        return pop(self.cursor, Asked(**asked))

    def index_stands(self, partition: str, next_offset: int, read_at: datetime) -> None:
        self.cursor.execute(
            "UPDATE index.checkpoint SET next_offset = %s, read_at = %s WHERE topic = %s AND partition = %s",
            (next_offset, read_at, partition[0], int(partition[1:])),
        )

    def reads(self, projection: str, partition: str, next_offset: int, log_time: datetime) -> None:
        self.cursor.execute(
            "UPDATE read.checkpoint SET next_offset = %s, log_time = %s WHERE projection = %s AND partition = %s",
            (next_offset, log_time, projection, partition),
        )

    def park(self, projection: str, key: UUID) -> None:
        self.cursor.execute(
            "INSERT INTO read.parked (projection, key, partition, log_offset, place, type, reason) VALUES (%s, %s, 'd0', 1, 0, 'x', 'y')",
            (projection, key),
        )


@pytest.fixture
def desk(dsn: str) -> Iterator[Desk]:
    connection = connect(dsn, autocommit=False)
    with connection.cursor() as cursor:
        yield Desk(cursor)
    connection.close()


def test_who_calls_and_why_we_think_so(desk: Desk) -> None:
    desk.happens(desk.past.of(ANA, CustomerCaptured(ExternalId("shop", "17"), "ACME", "ro", phones=(Phone(NUMBER),))))
    answer = desk.pop(phone=NUMBER)
    assert [(one.customer, one.how) for one in answer.candidates] == [(ANA, MatchHow.DIRECT_LINE)]
    assert answer.found is not None
    assert answer.found.customer == ANA
    (document,) = answer.found.documents
    assert (document["company"], document["language"], document["phones"][0]["number"]) == ("ACME", "ro", NUMBER.e164)
    assert answer.found.external_ids == (("shop", "17"),)


def test_nobody_is_found_by_an_unknown_number(desk: Desk) -> None:
    answer = desk.pop(phone=NUMBER)
    assert (answer.candidates, answer.found) == ((), None)
    assert answer.age.positions == ""


def test_several_are_offered_and_the_best_is_shown(desk: Desk) -> None:
    desk.happens(*(desk.past.of(one, CustomerCaptured(phones=(Phone(NUMBER),))) for one in (ANA, BOB)))
    answer = desk.pop(phone=NUMBER)
    assert [one.how for one in answer.candidates] == [MatchHow.SHARED_LINE] * 2
    assert answer.found is not None
    assert answer.found.customer == answer.candidates[0].customer


def test_value_and_the_last_five_of_each_kind(desk: Desk) -> None:
    past = desk.past
    desk.happens(
        past.of(ANA, CustomerCaptured(company="ACME")),
        *(past.fact(bought(f"o{number}", f"{number}.10"), number) for number in range(1, 8)),
        *(past.fact(returned(f"r{number}", "0.05"), number) for number in range(1, 3)),
        past.fact(bought("a1", "-1", reason="adjustment"), 20),
        past.fact(bought("x1", "100", BOB), 30),
        past.fact(bought("u1", "3", currency="RON"), 0),
    )
    found = desk.pop(customer=ANA).found
    assert found is not None
    assert [(one.subject, str(one.total), one.currency) for one in found.orders] == [
        (f"o{number}", f"{number}.10", "EUR") for number in (7, 6, 5, 4, 3)
    ]
    assert [one.subject for one in found.returns] == ["r2", "r1"]
    assert [(one.currency, one.value, one.orders, one.returns, one.adjustments) for one in found.values] == [
        ("EUR", Decimal("27.6"), 7, 2, 1),
        ("RON", Decimal(3), 1, 0, 0),
    ]
    assert [one.subject for one in found.timeline][:2] == ["a1", "o7"]
    assert (found.orders[0].occurred_at, found.orders[0].lines, found.orders[0].source) == (START + 7 * DAY, 0, "shop")


def test_what_was_withdrawn_or_is_another_ones_is_not_shown(desk: Desk) -> None:
    past = desk.past
    desk.happens(past.of(ANA, CustomerCaptured(company="ACME")), past.fact(bought("o1", "1"), 1), past.fact(bought("o2", "2"), 2))
    desk.happens(past.about("o1", FactWithdrawn(), 3, fact_id="1"), past.about("o2", InteractionAttributed(BOB), 4))
    found = desk.pop(customer=ANA).found
    assert found is not None
    assert (found.orders, found.values) == ((), ())
    assert [one.type for one in found.timeline] == ["customer.captured"]


def test_what_is_merged_is_composed(desk: Desk) -> None:
    past, linked = desk.past, ExternalId("erp", "4711")
    desk.happens(
        past.of(ANA, CustomerCaptured(ExternalId("shop", "1"), phones=(Phone(NUMBER),))),
        past.of(BOB, CustomerCaptured(ExternalId("shop", "2"), company="ACME")),
        past.of(EVA, CustomerCaptured(company="another one")),
        past.fact(bought("o1", "1.50", ANA), 1),
        past.fact(bought("o2", "2.50", BOB), 2),
        past.fact(bought("o3", "4", linked.customer), 3),
        past.pointer(ANA, CustomerMerged(BOB), 4),
        past.pointer(linked.customer, ExternalIdLinked(linked, ANA), 5),
    )
    answer = desk.pop(phone=NUMBER)
    found = answer.found
    assert found is not None
    assert (found.customer, set(found.merged)) == (BOB, {ANA, linked.customer})
    assert [document.get("company") for document in found.documents] == ["ACME", None], "one's own document comes first"
    assert set(found.external_ids) == {("shop", "1"), ("shop", "2"), ("erp", "4711")}
    assert [(one.value, one.orders) for one in found.values] == [(Decimal(8), 3)]
    assert [one.subject for one in found.orders] == ["o3", "o2", "o1"]


def test_each_sources_last_word_even_where_it_is_about_somebody_else(desk: Desk) -> None:
    past = desk.past
    desk.happens(past.of(ANA, CustomerCaptured(company="ACME")), past.fact(bought("o1", "1", BOB), 9), past.fact(bought("o2", "1", BOB), 3))
    found = desk.pop(customer=ANA).found
    assert found is not None
    assert found.sources == (("shop", START + 9 * DAY),)


def test_an_answer_says_how_old_it_is(desk: Desk) -> None:
    """Nothing waits: as old as the last look at the log. Something waits: as old as what was folded last."""
    now = datetime.now(START.tzinfo)
    desk.cursor.execute("UPDATE index.checkpoint SET read_at = %s", (now - timedelta(seconds=2),))
    assert 2 <= desk.pop(customer=ANA).age.seconds < 60
    assert desk.pop(customer=ANA).age.events == 0
    desk.index_stands("f2", 10, now)
    desk.reads("timeline", "f2", 10, now)
    desk.reads("ledger", "f2", 4, now - timedelta(minutes=10))
    age = desk.pop(customer=ANA).age
    assert 600 <= age.seconds < 660
    assert (age.events, age.positions) == (6, "f2:3")


def test_a_projection_that_reads_no_facts_is_not_old_for_want_of_them(desk: Desk) -> None:
    now = datetime.now(START.tzinfo)
    desk.cursor.execute("UPDATE index.checkpoint SET read_at = %s", (now,))
    desk.index_stands("f2", 10, now)
    for projection in ("timeline", "ledger"):
        desk.reads(projection, "f2", 10, now)
    assert desk.pop(customer=ANA).age.events == 0


@pytest.mark.parametrize("key", ["customer", "merged", "pointers", "interaction", "somebody else's"])
def test_an_answer_says_whether_part_of_it_is_set_aside(desk: Desk, key: str) -> None:
    past = desk.past
    merged = past.pointer(ANA, CustomerMerged(BOB))
    order = past.fact(bought("o1", "1", ANA))
    other = past.fact(bought("o2", "1", EVA))
    desk.happens(past.of(ANA, CustomerCaptured(company="ACME")), past.of(BOB, CustomerCaptured(company="ACME")), merged, order, other)
    keys = {"customer": BOB, "merged": ANA, "pointers": merged.key, "interaction": order.key, "somebody else's": other.key}
    desk.park("ledger", keys[key])
    found = desk.pop(customer=ANA).found
    assert found is not None
    assert found.parked is (key != "somebody else's")


class Counting:
    """A cursor that keeps what was asked through it."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.asked: list[tuple[str, Any]] = []

    def execute(self, query: str, values: Any = None) -> None:
        self.asked.append((query, values))
        self.cursor.execute(query, values)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.cursor.fetchall()

    def copy_expert(self, sql: str, file: Any) -> None:
        raise AssertionError(sql, file)


LARGE = {"timeline_entry", "ledger_entry", "ledger_total", "customer", "identity_handle", "identity_known", "event"}


def test_a_pop_asks_twice_and_reads_no_large_table_whole(desk: Desk) -> None:
    """With 26,000 orders, and with one customer who has every tenth of them."""
    desk.happens(desk.past.of(ANA, CustomerCaptured(company="ACME")), desk.past.of(ANA, PhoneAdded(Phone(NUMBER))))
    _fill(desk.cursor, customers=4_300, orders=26_000)
    counting = Counting(desk.cursor)
    answer = pop(counting, Asked(phone=NUMBER))
    assert answer.found is not None
    assert len(answer.found.orders) == len(answer.found.timeline) == 5
    assert len(counting.asked) == 2
    for query, values in counting.asked:
        desk.cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query, values)
        ((plan,),) = desk.cursor.fetchall()
        nodes = list(_nodes(plan[0]["Plan"]))
        assert not {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"} & LARGE
        read = sum(node["Actual Rows"] * node["Actual Loops"] for node in nodes if node.get("Relation Name") in LARGE)
        assert read < 100, f"{read} rows were read for a pop"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _fill(cursor: Cursor, *, customers: int, orders: int) -> None:
    """Rows as an import leaves them: every tenth order is ANA's."""
    cursor.execute(
        f"""INSERT INTO read.identity_known SELECT md5('c' || n)::uuid, now() FROM generate_series(1, {customers}) n;
        INSERT INTO read.customer SELECT md5('c' || n)::uuid, 1, now(), '{{}}' FROM generate_series(1, {customers}) n;
        INSERT INTO read.identity_handle (customer, kind, value, extension, since_version, line, given_at, last_digits)
            SELECT md5('c' || n)::uuid, 'phone', '+4031' || lpad(n::text, 7, '0'), '', 1, 'direct_line', now(), lpad(n::text, 7, '0')
            FROM generate_series(1, {customers}) n;
        INSERT INTO read.ledger_entry (key, stream, version, customer, matched, active, kind, occurred_at, topic, partition, log_offset,
                place, currency, total, line_count, source, subject)
            SELECT md5('o' || n)::uuid, md5('o' || n)::uuid, 1, o.customer, o.customer, true,
                CASE WHEN n % 20 = 0 THEN 'return' ELSE 'order' END,
                timestamptz '2011-01-01' + n * interval '1 minute', 'f', n % 8, n / 8, 0, 'GBP', 1.10, 3, 'retail', n::text
            FROM generate_series(1, {orders}) n,
                 LATERAL (SELECT CASE WHEN n % 10 = 0 THEN '{ANA}'::uuid ELSE md5('c' || n % {customers})::uuid END) o(customer);
        INSERT INTO read.timeline_entry (key, stream, version, customer, type, fact, active, occurred_at, log_time, topic, partition,
                log_offset, place, source, subject, summary)
            SELECT key, stream, 1, customer, 'purchase.made', true, true, occurred_at, now(), topic, partition, log_offset, 0, source,
                subject, '{{}}' FROM read.ledger_entry;
        INSERT INTO read.ledger_total (customer, currency, orders, entries, value)
            SELECT customer, currency, count(*), count(*), sum(total) FROM read.ledger_entry GROUP BY 1, 2;
        ANALYZE read.identity_known; ANALYZE read.customer; ANALYZE read.identity_handle; ANALYZE read.ledger_entry;
        ANALYZE read.timeline_entry; ANALYZE read.ledger_total"""
    )


def test_the_answer_can_be_given_as_json(desk: Desk) -> None:
    """As the command line and the API give it: nothing in it that JSON cannot hold but decimals, which are text there."""
    desk.happens(desk.past.of(ANA, CustomerCaptured(company="ACME")), desk.past.fact(bought("o1", "12.30")))
    written = orjson.dumps(desk.pop(customer=ANA), default=str).decode()
    assert re.search(r'"total":"12\.30"', written)
