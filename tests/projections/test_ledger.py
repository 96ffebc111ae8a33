"""Orders, returns, adjustments and what they come to: exact, and the same whatever came and went before."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.fact import FactWithdrawn
from domain.interaction import InteractionAttributed, InteractionDetached
from projections.ledger import ENTRY, LEDGER, TOTAL
from tests.projections.said import ANA, BOB, Past, ReadModel, bought, read_model, returned

HUGE = "999999999999999999.999999999999999999"


@pytest.fixture
def ledger(dsn: str) -> Iterator[ReadModel]:
    with read_model(dsn, LEDGER) as model:
        yield model


def totals(ledger: ReadModel) -> dict[tuple[UUID, str], tuple[str, int, int, int]]:
    """By (customer, currency): value as it is written, orders, returns, adjustments."""
    rows = ledger.rows(TOTAL)
    return {
        (row["customer"], row["currency"]): (format(row["value"], "f"), row["orders"], row["returns"], row["adjustments"]) for row in rows
    }


def test_value_is_orders_and_adjustments_less_returns(ledger: ReadModel) -> None:
    past = Past()
    ledger.fold(
        past.fact(bought("o1", "100.50")),
        past.fact(bought("o2", "20")),
        past.fact(returned("r1", "10.25")),
        past.fact(bought("a1", "-0.5", reason="adjustment")),
    )
    assert totals(ledger) == {(ANA, "EUR"): ("109.75", 2, 1, 1)}
    assert sorted(row["kind"] for row in ledger.rows(ENTRY)) == ["adjustment", "order", "order", "return"]


def test_currencies_are_never_added(ledger: ReadModel) -> None:
    past = Past()
    ledger.fold(past.fact(bought("o1", "1")), past.fact(bought("o2", "2", currency="RON")))
    assert totals(ledger) == {(ANA, "EUR"): ("1", 1, 0, 0), (ANA, "RON"): ("2", 1, 0, 0)}


def test_a_total_is_kept_as_it_was_reported(ledger: ReadModel) -> None:
    ledger.fold(Past().fact(bought("o1", "12.30")))
    assert str(ledger.rows(ENTRY)[0]["total"]) == "12.30"


def test_what_is_nobodys_is_in_no_total(ledger: ReadModel) -> None:
    past = Past()
    ledger.fold(past.fact(bought("o1", "5", None)))
    assert totals(ledger) == {}
    ledger.fold(past.about("o1", InteractionAttributed(BOB), 1))
    assert totals(ledger) == {(BOB, "EUR"): ("5", 1, 0, 0)}


def test_what_is_attributed_to_somebody_else_leaves_no_row_behind(ledger: ReadModel) -> None:
    past = Past()
    ledger.fold(past.fact(bought("o1", "5")), past.fact(returned("o1", "2", fact_id="2"), 1))
    ledger.fold(past.about("o1", InteractionAttributed(BOB), 2))
    assert totals(ledger) == {(BOB, "EUR"): ("3", 1, 1, 0)}
    ledger.fold(past.about("o1", InteractionDetached(), 3))
    assert totals(ledger) == {}


def test_what_is_withdrawn_leaves_the_totals_and_comes_back_when_recorded_anew(ledger: ReadModel) -> None:
    past = Past()
    ledger.fold(past.fact(bought("o1", "5")), past.fact(bought("o2", "7")))
    ledger.fold(past.about("o1", FactWithdrawn(), 1, fact_id="1"))
    assert totals(ledger) == {(ANA, "EUR"): ("7", 1, 0, 0)}
    ledger.fold(past.fact(bought("o1", "6", BOB), 2))
    assert totals(ledger) == {(ANA, "EUR"): ("7", 1, 0, 0), (BOB, "EUR"): ("6", 1, 0, 0)}


def test_recorded_withdrawn_and_recorded_anew_in_one_batch_counts_once(ledger: ReadModel) -> None:
    past = Past()
    ledger.fold(past.fact(bought("o1", "5")), past.about("o1", FactWithdrawn(), 1, fact_id="1"), past.fact(bought("o1", "6"), 2))
    assert totals(ledger) == {(ANA, "EUR"): ("6", 1, 0, 0)}


def test_an_order_of_nothing_is_an_order(ledger: ReadModel) -> None:
    """A value of zero is no reason for a row to leave; having no entries is."""
    past = Past()
    ledger.fold(past.fact(bought("o1", "0.00")))
    assert totals(ledger) == {(ANA, "EUR"): ("0", 1, 0, 0)}
    ledger.fold(past.fact(bought("o2", "5")), past.fact(returned("r1", "5")))
    assert totals(ledger) == {(ANA, "EUR"): ("0", 2, 1, 0)}


def test_sums_are_exact_beyond_what_pythons_own_context_holds(ledger: ReadModel) -> None:
    past = Past()
    amounts = [HUGE, HUGE, "0.000000000000000001", "12.30", "1E+3", "-0.01", "-999999999999999999"]
    ledger.fold(*(past.fact(bought(f"o{number}", amount)) for number, amount in enumerate(amounts)))
    assert totals(ledger)[ANA, "EUR"][0] == "1000000000000001013.289999999999999999"


def test_the_scale_of_a_total_does_not_tell_what_came_and_went(ledger: ReadModel) -> None:
    past = Past()
    ledger.fold(past.fact(bought("o1", "20.020")))
    ledger.fold(past.fact(bought("o2", "0.001")))
    ledger.fold(past.about("o2", FactWithdrawn(), 1, fact_id="1"))
    assert totals(ledger)[ANA, "EUR"][0] == "20.02"


def test_many_scales_in_any_order_and_any_batches_come_to_the_same(dsn: str) -> None:
    shuffler = random.Random(1)
    amounts = [
        f"{shuffler.randrange(-(10**9), 10**9)}.{shuffler.randrange(10 ** (number % 12)):0{number % 12 or 1}d}" for number in range(60)
    ]
    exact = sum(map(_scaled, amounts))
    found: set[Any] = set()
    for size in (1, 7, 60):
        shuffler.shuffle(amounts)
        with read_model(dsn, LEDGER) as ledger:
            past = Past()
            events = [past.fact(bought(f"o{number}", amount)) for number, amount in enumerate(amounts)]
            for start in range(0, len(events), size):
                ledger.fold(*events[start : start + size])
            found.add(totals(ledger)[ANA, "EUR"])
    ((value, orders, *_),) = found
    assert (_scaled(value), orders) == (exact, 60)
    assert not value.endswith("0") or "." not in value


def _scaled(amount: str) -> int:
    """In units of 10**-18: whole numbers, which Python adds exactly."""
    number = Decimal(amount).as_tuple()
    assert isinstance(number.exponent, int)
    digits = int("".join(map(str, number.digits))) * 10 ** (18 + number.exponent)
    return -digits if number.sign else digits
