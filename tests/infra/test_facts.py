"""Facts on both logs: recorded once however often they come, lowered to now, sealed under their interaction's key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from domain.fact import FactWithdrawn, Match, MatchHow
from domain.ids import customer_id
from domain.inbound import InboundFact
from domain.purchase import PurchaseMade
from infra.codec.outside import Malformed
from infra.crm import Crm
from infra.facts import Fact, FactRecorder, UnknownFactType, read_fact
from infra.log.contract import Position, Topic
from tests.infra.crm import ACTOR, F, K, Shop
from tests.infra.people import purchase

MANY = [purchase(str(number)) for number in range(40)]


def rows(*facts: Fact, version: int = 1) -> list[tuple[Any, ...]]:
    return [(fact.report.key, fact.report.stream, version, fact.event, fact.time) for fact in facts]


def recorded(shop: Shop, run: FactRecorder, *facts: Fact) -> list[Position | int]:
    answers = run.append(rows(*facts))
    shop.indexed()
    return answers


def known(shop: Shop, run: FactRecorder) -> int:
    """How many facts of this run were there before, counted as an import does."""
    query = "SELECT count(*) FROM index.refused WHERE commit_id BETWEEN %s AND %s"
    ((count,),) = shop.rows(query, run.first_commit, run.last_commit)
    return int(count)


def stored(crm: Crm, fact: Fact) -> PurchaseMade:
    """The fact as it is read back."""
    (numbered,) = crm.handler.write_sides[Topic.FACTS].events.get((fact.report.key, fact.report.stream))
    assert isinstance(numbered.event, PurchaseMade)
    return numbered.event


def test_a_fact_is_recorded_once_whatever_is_repeated(shop: Shop) -> None:
    """In one call, in another of the same run, in another run, from another process."""
    first, second, third = shop.crm.facts(ACTOR), shop.crm.facts(ACTOR), shop.another().facts(ACTOR)
    recorded(shop, first, *MANY, MANY[3], MANY[4])
    recorded(shop, first, MANY[5])
    recorded(shop, second, *MANY, purchase("new"))
    recorded(shop, third, *MANY[:7])
    assert shop.rows("SELECT count(*) FROM index.event") == [(len(MANY) + 1,)]
    assert (known(shop, first), known(shop, second), known(shop, third)) == (3, len(MANY), 7)


def test_every_fact_has_its_position_and_the_last_of_each_partition_is_known(shop: Shop) -> None:
    run = shop.crm.facts(ACTOR)
    answers = recorded(shop, run, *MANY)
    places = {(key, stream): (partition, offset) for key, stream, partition, offset in
              shop.rows("SELECT key, stream, partition, log_offset FROM index.event")}  # fmt: skip
    for fact, answer in zip(MANY, answers, strict=True):
        assert isinstance(answer, Position)
        assert (answer.topic, places[fact.report.key, fact.report.stream]) == (F, (answer.partition, answer.offset))
    ends = shop.crm.log.ends(F)
    assert {partition: last.offset + 1 for partition, last in run.last.items()} == {p: end for p, end in ends.items() if end}


def test_a_fact_ahead_of_now_is_lowered_to_now_and_keeps_what_it_said(shop: Shop) -> None:
    ahead = datetime.now(UTC) + timedelta(days=400)
    late, punctual = replace(purchase("ahead"), time=ahead), purchase("then")
    recorded(shop, shop.crm.facts(ACTOR), late, punctual)
    query = "SELECT occurred_at, said_at, recorded_at FROM index.event WHERE key = %s"
    ((occurred_at, said_at, recorded_at),) = shop.rows(query, late.report.key)
    assert (occurred_at, said_at) == (recorded_at, ahead)
    assert abs(occurred_at - datetime.now(UTC)) < timedelta(minutes=5)
    ((occurred_at, said_at, _),) = shop.rows(query, punctual.report.key)
    assert (occurred_at, said_at) == (punctual.time, None)


def test_a_fact_that_is_too_large_is_answered_with_its_size_and_not_sent(shop: Shop) -> None:
    line = {"sku": "a", "description": "x" * 1900, "quantity": "1", "unit_price": {"amount": "1", "currency": "EUR"}}
    huge = purchase("huge", lines=[line] * 600)
    before, size, after = recorded(shop, shop.crm.facts(ACTOR), MANY[0], huge, MANY[1])
    assert isinstance(before, Position)
    assert isinstance(after, Position)
    assert isinstance(size, int)
    assert size > shop.crm.log.max_record_bytes
    assert shop.rows("SELECT count(*) FROM index.event") == [(2,)]


def test_a_fact_just_within_the_limit_is_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (size,) = limited(shop, monkeypatch, 1)
    assert isinstance(size, int)
    (answer,) = limited(shop, monkeypatch, size)
    assert isinstance(answer, Position)


def limited(shop: Shop, monkeypatch: pytest.MonkeyPatch, limit: int) -> list[Position | int]:
    with monkeypatch.context() as patch:
        patch.setattr(shop.crm.log, "max_record_bytes", limit)
        return shop.crm.facts(ACTOR).append(rows(MANY[0]))


def test_personal_fields_are_sealed_under_the_interactions_own_key(shop: Shop) -> None:
    """So that one order can be erased alone; its facts share the key."""
    one, two, other = (purchase(n, fact_id=i, phone="0722 123 456") for n, i in (("17", "1"), ("17", "2"), ("18", "1")))
    plain = purchase("19")
    recorded(shop, shop.crm.facts(ACTOR), one, two, other, plain)
    owners = {owner for (owner,) in shop.rows("SELECT owner FROM index.encryption_key")}
    assert owners == {one.report.key, other.report.key}
    assert len(shop.records(K)) == 2
    sealed = {key: orjson.loads(data).get("phone") for key, data in shop.rows("SELECT key, data FROM index.event")}
    assert sealed[plain.report.key] is None
    assert set(sealed[one.report.key]) == {"sealed", "text"}
    for fact in (one, two, other):
        assert stored(shop.crm, fact) == fact.event


def test_what_comes_for_an_erased_interaction_is_recorded_without_its_personal_fields(shop: Shop) -> None:
    """One erased order does not stop an import, and its money still counts."""
    one, two, other = (purchase(n, fact_id=i, phone="0722 123 456") for n, i in (("17", "1"), ("17", "2"), ("18", "1")))
    recorded(shop, shop.crm.facts(ACTOR), one)
    shop.crm.keyring.erase(one.report.key)
    answers = recorded(shop, shop.crm.facts(ACTOR), two, other)
    assert all(isinstance(answer, Position) for answer in answers)
    assert stored(shop.crm, two) == replace(two.event, phone=None)
    assert stored(shop.crm, other).phone is not None


def test_a_withdrawn_fact_can_be_recorded_anew_and_only_in_turn(shop: Shop) -> None:
    run, fact = shop.crm.facts(ACTOR), MANY[0]
    recorded(shop, run, fact)
    run.append([(fact.report.key, fact.report.stream, 2, FactWithdrawn("batch"), fact.time)])
    run.append(rows(fact, version=3))
    run.append(rows(fact, version=3))
    shop.indexed()
    assert shop.rows("SELECT version, type FROM index.event ORDER BY version") == [
        (1, "purchase.made"), (2, "fact.withdrawn"), (3, "purchase.made"),
    ]  # fmt: skip
    assert known(shop, run) == 1


def test_a_run_that_records_nothing_says_so(shop: Shop) -> None:
    run = shop.crm.facts(ACTOR)
    assert run.append([]) == []
    assert run.last == {}


def inbound(**data: Any) -> InboundFact:
    body = {"total": {"amount": "1", "currency": "EUR"}, **data}
    return InboundFact("purchase.made", "till", "17", "1", datetime(2024, 1, 1, tzinfo=UTC), body)


def test_a_fact_is_matched_by_our_id_or_the_sources_own_and_else_by_nobody() -> None:
    ours = customer_id("x", "y")
    assert read_fact(inbound(customer={"id": str(ours)}), "RO").event.match == Match(ours, MatchHow.ID)
    theirs = Match(customer_id("till", "c7"), MatchHow.EXTERNAL_ID)
    assert read_fact(inbound(customer={"external_id": "c7"}), "RO").event.match == theirs
    assert read_fact(inbound(customer={"phone": "0722 123 456"}), "RO").event.match == Match()
    assert read_fact(inbound(), "RO").event.match == Match()


def test_a_fact_that_cannot_be_read_is_said() -> None:
    with pytest.raises(UnknownFactType, match=r"^There is no fact of type 'purchase\.lost'; there are purchase\.made, "):
        read_fact(replace(inbound(), type="purchase.lost"), "RO")
    with pytest.raises(Malformed, match=r"^data\.total\.amount must be"):
        read_fact(inbound(total={"amount": 1.5, "currency": "EUR"}), "RO")


def test_a_fact_in_a_batch_or_matched_is_the_same_fact_otherwise() -> None:
    fact, match = purchase("17", phone="0722 123 456"), Match(customer_id("x", "y"), MatchHow.ID)
    assert fact.in_batch("b1") == replace(fact.event, report=replace(fact.report, batch="b1"))
    assert fact.matched(match) == Fact(replace(fact.event, match=match), fact.time)
