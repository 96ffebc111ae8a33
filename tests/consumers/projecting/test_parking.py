"""What one projection cannot read or fold sets one key aside, from that event on: everything else goes on, and a retry makes it whole."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg2
import pytest

from consumers.projecting.parking import all_parked
from domain.customer import CUSTOMER as DECIDER
from domain.customer import CaptureCustomer, CorrectCompany, SetLanguage
from domain.person_name import PersonName
from infra.log.contract import Outgoing
from projections import registry
from projections.batch import Batch, Projection
from projections.customer import CUSTOMER
from projections.identity import IDENTITY
from projections.tables import Tables
from projections.timeline import TIMELINE
from tests.consumers.projecting.reading import behind, contents, fold, from_zero, parked, projector
from tests.infra.crm import ACTOR, D, F, Shop
from tests.infra.people import purchase

GOOD, BAD = UUID(int=1), UUID(int=2)


def decide(shop: Shop, key: UUID, *commands: Any) -> None:
    for command in commands:
        shop.crm.handle(DECIDER, command, key=key, actor=ACTOR)


def raw(key: UUID, version: int, type_name: str, data: Any, *, stream: UUID | None = None) -> Outgoing:
    """A commit that our own code would not write."""
    event = {
        "stream": str(stream or key),
        "version": version,
        "type": type_name,
        "schema": 1,
        "occurred_at": "2024-01-01T00:00:00Z",
        "data": data,
    }
    body = {"format": 1, "id": str(uuid4()), "key": str(key), "reads": {}, "events": [event]}
    return Outgoing(str(key).encode(), orjson.dumps(body))


def companies(shop: Shop) -> dict[UUID, str]:
    rows = shop.rows("SELECT customer, document FROM read.customer")
    return {customer: orjson.loads(document)["company"] for customer, document in rows}


def test_an_unknown_type_sets_its_key_aside_in_each_projection_that_minds_and_nothing_else(embedded_shop: Shop) -> None:
    decide(embedded_shop, GOOD, CaptureCustomer(company="Good"))
    decide(embedded_shop, BAD, CaptureCustomer(company="Bad"))
    embedded_shop.append(D, raw(BAD, 2, "customer.knighted", {"title": "Sir"}))
    embedded_shop.indexed()
    decide_in_the_log(embedded_shop, BAD, 3, CorrectCompany("Bad, later"))
    decide(embedded_shop, GOOD, CorrectCompany("Good, later"))
    fold(embedded_shop)
    assert parked(embedded_shop) == {("identity", BAD), ("customer", BAD), ("timeline", BAD)}, "the ledger does not mind"
    assert companies(embedded_shop) == {GOOD: "Good, later", BAD: "Bad"}
    assert behind(embedded_shop) == 0
    assert embedded_shop.rows("SELECT DISTINCT type, reason FROM read.parked") == [
        ("customer.knighted", "the event type customer.knighted is not known to this version")
    ]


def decide_in_the_log(shop: Shop, key: UUID, version: int, command: CorrectCompany) -> None:
    """What another process, which knows the type, would have decided."""
    shop.append(D, raw(key, version, "customer.company_corrected", {"company": command.company}))
    shop.indexed()


def test_a_retry_folds_in_order_what_was_set_aside(embedded_shop: Shop) -> None:
    decide(embedded_shop, BAD, CaptureCustomer(company="Bad"))
    embedded_shop.append(D, raw(BAD, 2, "customer.renamed_by_decree", {"company": "Decreed"}))
    embedded_shop.indexed()
    decide_in_the_log(embedded_shop, BAD, 3, CorrectCompany("Third"))
    fold(embedded_shop)
    decide_in_the_log(embedded_shop, BAD, 4, CorrectCompany("Fourth"))
    fold(embedded_shop)
    with projector(embedded_shop, CUSTOMER) as one:
        assert not one.retry(BAD), "nothing has been mended yet"
    assert companies(embedded_shop) == {BAD: "Bad"}
    # Stands for software that can read what it could not.
    embedded_shop.rows("UPDATE index.event SET type = 'customer.company_corrected' WHERE version = 2")
    for projection in (IDENTITY, CUSTOMER, TIMELINE):
        with projector(embedded_shop, projection) as one:
            assert one.retry(BAD)
            assert one.retry(BAD), "a key that is not parked needs nothing"
    assert companies(embedded_shop) == {BAD: "Fourth"}
    assert parked(embedded_shop) == set()
    assert contents(embedded_shop) == from_zero(embedded_shop)


def test_a_field_that_cannot_be_decrypted_sets_its_key_aside_and_is_never_taken_for_erased(embedded_shop: Shop) -> None:
    for key in (GOOD, BAD):
        decide(embedded_shop, key, CaptureCustomer(name=PersonName.of("Ana", "Pop", None)))
    embedded_shop.rows('UPDATE index.event SET data = replace(data, \'"text":"\', \'"text":"AAAA\') WHERE key = %s', BAD)
    fold(embedded_shop)
    assert parked(embedded_shop) == {("identity", BAD), ("customer", BAD), ("timeline", BAD)}
    assert set(companies(embedded_shop)) == {GOOD}


def failing(projection: Projection, at: int) -> Projection:
    """The projection with a fold that fails on version `at` of BAD."""

    def fold_badly(batch: Batch, tables: Tables) -> None:
        projection.fold(batch, tables)
        if any((recorded.key, recorded.version) == (BAD, at) for recorded in batch):
            raise KeyError("+40722123456")

    return replace(projection, fold=fold_badly)


def test_a_fold_that_raises_sets_the_key_aside_from_that_event_on(embedded_shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    for key in (BAD, GOOD):
        decide(embedded_shop, key, CaptureCustomer(company="One"), CorrectCompany("Two"), CorrectCompany("Three"), CorrectCompany("Four"))
    fold(embedded_shop, [failing(CUSTOMER, at=3)])
    assert companies(embedded_shop) == {GOOD: "Four", BAD: "Two"}
    with embedded_shop.crm.pool.transaction() as cursor:
        (one,) = all_parked(cursor)
    assert (one.projection, one.key, one.type) == ("customer", BAD, "customer.company_corrected")
    assert one.reason.startswith("the fold raised KeyError (test_parking.py, line ")
    assert "40722" not in one.reason + caplog.text, "a reason says where, and never quotes"
    with projector(embedded_shop, CUSTOMER) as mended_code:
        assert mended_code.retry(BAD)
    assert companies(embedded_shop) == {GOOD: "Four", BAD: "Four"}


def test_a_row_that_postgresql_refuses_sets_its_key_aside(embedded_shop: Shop) -> None:
    decide(embedded_shop, GOOD, CaptureCustomer(company="Good"))
    key = purchase("o1").report.key
    too_large = {"amount": "1" + "0" * 200_000, "currency": "EUR"}
    report = {"source": "till", "subject": "o1", "id": "1"}
    embedded_shop.append(
        F, raw(key, 1, "purchase.made", {"report": report, "match": {"how": "none", "candidates": []}, "total": too_large})
    )
    embedded_shop.indexed()
    fold(embedded_shop)
    assert parked(embedded_shop) == {("ledger", key)}
    assert companies(embedded_shop) == {GOOD: "Good"}


def test_a_row_too_large_for_its_index_is_no_outage(embedded_shop: Shop) -> None:
    key = uuid4()
    batch_name = "".join(chr(0x4E00 + (number * 7919) % 20_000) for number in range(4_000))
    report = {"source": "till", "subject": "o1", "id": "1", "batch": batch_name}
    total = {"amount": "1", "currency": "EUR"}
    embedded_shop.append(F, raw(key, 1, "purchase.made", {"report": report, "match": {"how": "none", "candidates": []}, "total": total}))
    embedded_shop.indexed()
    fold(embedded_shop, [TIMELINE])
    assert parked(embedded_shop) == {("timeline", key)}


def test_an_outage_parks_nothing(embedded_shop: Shop) -> None:
    decide(embedded_shop, GOOD, CaptureCustomer(company="Good"))

    def fold_without_a_database(batch: Batch, tables: Tables) -> None:
        raise psycopg2.OperationalError("the server has gone away")

    with pytest.raises(psycopg2.OperationalError):
        fold(embedded_shop, [replace(CUSTOMER, fold=fold_without_a_database)])
    assert parked(embedded_shop) == set()
    fold(embedded_shop, [CUSTOMER])
    assert companies(embedded_shop) == {GOOD: "Good"}


def test_an_amount_that_is_no_number_never_reaches_a_total(embedded_shop: Shop) -> None:
    """What is not finite would stay in a sum for ever."""
    for number, amount in enumerate(("NaN", "Infinity", "12.30")):
        report = {"source": "till", "subject": f"o{number}", "id": "1"}
        match = {"customer": str(GOOD), "how": "id", "candidates": []}
        data = {"report": report, "match": match, "total": {"amount": amount, "currency": "EUR"}}
        embedded_shop.append(F, raw(UUID(int=100 + number), 1, "purchase.made", data))
    embedded_shop.indexed()
    fold(embedded_shop)
    assert parked(embedded_shop) == {("ledger", UUID(int=100)), ("ledger", UUID(int=101))}
    ((value,),) = embedded_shop.rows("SELECT value::text FROM read.ledger_total")
    assert value == "12.3"


def test_a_retry_waits_for_a_batch_that_is_being_folded_and_loses_nothing_of_it(embedded_shop: Shop) -> None:
    """The batch has left the parked key's events out when the retry comes; they are in what the retry folds."""
    decide(embedded_shop, BAD, CaptureCustomer(company="One"), CorrectCompany("Two"))
    fold(embedded_shop, [failing(CUSTOMER, at=2)])
    decide(embedded_shop, BAD, CorrectCompany("Three"), SetLanguage("ro"))
    decide(embedded_shop, GOOD, CaptureCustomer(company="Good"))
    folding, go_on = threading.Event(), threading.Event()

    def slowly(batch: Batch, tables: Tables) -> None:
        folding.set()
        assert go_on.wait(30)
        CUSTOMER.fold(batch, tables)

    with projector(embedded_shop, replace(CUSTOMER, fold=slowly)) as slow, projector(embedded_shop, CUSTOMER) as other:
        stepping = threading.Thread(target=slow.step)
        stepping.start()
        assert folding.wait(30)
        retrying = threading.Thread(target=other.retry, args=(BAD,))
        retrying.start()
        retrying.join(0.5)
        assert retrying.is_alive(), "it waits"
        go_on.set()
        stepping.join(30)
        retrying.join(30)
    assert companies(embedded_shop) == {GOOD: "Good", BAD: "Three"}
    assert parked(embedded_shop) == set()
    assert contents(embedded_shop, [CUSTOMER]) == from_zero(embedded_shop, [CUSTOMER])


def test_a_batch_waits_for_a_retry_and_then_folds_what_it_freed(embedded_shop: Shop) -> None:
    """The other way round: the retry is at work, and events come in for its key meanwhile."""
    decide(embedded_shop, BAD, CaptureCustomer(company="One"), CorrectCompany("Two"))
    fold(embedded_shop, [failing(CUSTOMER, at=2)])
    decide(embedded_shop, BAD, CorrectCompany("Three"))
    retrying, go_on = threading.Event(), threading.Event()

    def slowly(batch: Batch, tables: Tables) -> None:
        retrying.set()
        assert go_on.wait(30)
        CUSTOMER.fold(batch, tables)

    with projector(embedded_shop, CUSTOMER) as one, projector(embedded_shop, replace(CUSTOMER, fold=slowly)) as slow:
        thread = threading.Thread(target=slow.retry, args=(BAD,))
        thread.start()
        assert retrying.wait(30)
        stepping = threading.Thread(target=one.step)
        stepping.start()
        stepping.join(0.5)
        assert stepping.is_alive(), "it waits"
        go_on.set()
        thread.join(30)
        stepping.join(30)
    assert companies(embedded_shop) == {BAD: "Three"}
    assert contents(embedded_shop, [CUSTOMER]) == from_zero(embedded_shop, [CUSTOMER])


def test_every_projection_goes_on_whatever_another_one_parks(embedded_shop: Shop) -> None:
    decide(embedded_shop, BAD, CaptureCustomer(company="One"))
    for projection in registry.PROJECTIONS:
        fold(embedded_shop, [failing(projection, at=1) if projection is IDENTITY else projection])
    assert parked(embedded_shop) == {("identity", BAD)}
    assert companies(embedded_shop) == {BAD: "One"}


def test_a_whole_batch_that_cannot_be_folded_is_parked_key_by_key(embedded_shop: Shop) -> None:
    """As when a fold has a mistake in it: nothing of what it wrote before it failed stays."""
    keys = [uuid4() for _ in range(500)]
    embedded_shop.append(D, *(raw(key, 1, "customer.captured", {"company": "ACME"}) for key in keys))
    embedded_shop.indexed()

    def always_fails(batch: Batch, tables: Tables) -> None:
        CUSTOMER.fold(batch, tables)
        raise KeyError

    fold(embedded_shop, [replace(CUSTOMER, fold=always_fails)])
    assert parked(embedded_shop) == {("customer", key) for key in keys}
    assert companies(embedded_shop) == {}
