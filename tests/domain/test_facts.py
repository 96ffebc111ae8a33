"""Facts: their names, whom they were matched to, purchases and returns, and how they come in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.email import EmailAddress
from domain.fact import PENDING, UNMATCHED, Candidate, CustomerReference, Match, MatchHow, Report
from domain.ids import fact_key, fact_stream
from domain.inbound import InboundFact
from domain.inbound_types import INBOUND_BY_NAME, INBOUND_TYPES
from domain.money import Money
from domain.phone import PhoneNumber
from domain.purchase import CurrenciesMixed, PurchaseLine, PurchaseMade, PurchaseReturned, ReportedCustomer, ReportedPurchase
from domain.value import InvalidValue

A, B = UUID(int=1), UUID(int=2)
REPORT = Report("shop", "536365", "invoice", "night")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def gbp(amount: str) -> Money:
    return Money(Decimal(amount), "GBP")


LINES = (PurchaseLine(Decimal(6), gbp("2.55"), "85123A", "WHITE HANGING HEART"), PurchaseLine(Decimal("0.5"), gbp("3.39")))


def test_a_report_names_its_interaction_and_its_stream() -> None:
    assert REPORT.key == fact_key("shop", "536365")
    assert REPORT.stream == fact_stream(REPORT.key, "invoice")


@pytest.mark.parametrize("field", ["source", "subject", "id", "batch"])
@pytest.mark.parametrize("value", ["", " ", "a\x00", "a\nb", "x" * 513, "\ud800"])
def test_the_names_of_a_fact_are_text_on_a_line(field: str, value: str) -> None:
    with pytest.raises(InvalidValue, match=field):
        Report(**{"source": "shop", "subject": "1", "id": "1", field: value})


def test_names_of_512_characters_are_taken() -> None:
    assert Report("x" * 512, "1", "1").batch is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: UNMATCHED,
        lambda: PENDING,
        lambda: Match(A, MatchHow.ID),
        lambda: Match(A, MatchHow.DIRECT_LINE, (Candidate(B, MatchHow.MAYBE),)),
        lambda: Match(None, MatchHow.SHARED_LINE, (Candidate(A, MatchHow.SHARED_LINE), Candidate(B, MatchHow.SHARED_LINE))),
    ],
)
def test_a_match_names_whom_and_how(make: Callable[[], Match]) -> None:
    assert isinstance(make(), Match)


@pytest.mark.parametrize(
    ("make", "saying"),
    [
        (lambda: Match(A), "no customer and no candidates"),
        (lambda: Match(A, MatchHow.PENDING), "no customer and no candidates"),
        (lambda: Match(None, MatchHow.NONE, (Candidate(A, MatchHow.MAYBE),)), "no candidates"),
        (lambda: Match(None, MatchHow.EMAIL), "names a customer"),
        (lambda: Match(A, MatchHow.EMAIL, (Candidate(A, MatchHow.MAYBE),)), "once"),
    ],
)
def test_a_match_does_not_contradict_itself(make: Callable[[], Match], saying: str) -> None:
    with pytest.raises(InvalidValue, match=saying):
        make()


def test_a_purchase_without_a_stated_total_is_the_exact_sum_of_its_lines() -> None:
    made = ReportedPurchase(lines=LINES).made(REPORT, "GB")
    assert made == PurchaseMade(REPORT, UNMATCHED, gbp("16.995"), LINES)


def test_a_stated_total_counts_even_where_the_lines_say_otherwise() -> None:
    assert ReportedPurchase(lines=LINES, total=gbp("20.00")).made(REPORT, "GB").total == gbp("20.00")
    assert ReportedPurchase(total=gbp("5")).returned(REPORT, "GB").total == gbp("5")


def test_an_adjustment_is_a_purchase_with_a_negative_total_and_a_reason() -> None:
    line = PurchaseLine(Decimal(1), gbp("-11062.06"), "B")
    made = ReportedPurchase(lines=(line,), reason="adjustment").made(REPORT, "GB")
    assert (made.total, made.reason) == (gbp("-11062.06"), "adjustment")


def test_text_is_taken_up_to_its_limit() -> None:
    line = PurchaseLine(Decimal(1), gbp("1"), "x" * 200, "x" * 2000)
    assert ReportedPurchase(lines=(line,), reason="x" * 2000).made(REPORT, "GB").lines == (line,)


def test_a_line_may_take_something_off() -> None:
    discount = PurchaseLine(Decimal(-1), gbp("1.00"), "D")
    assert ReportedPurchase(lines=(*LINES, discount)).made(REPORT, "GB").total == gbp("15.995")


def test_a_return_counts_what_came_back() -> None:
    returned = ReportedPurchase(lines=LINES).returned(REPORT, "GB")
    assert returned == PurchaseReturned(REPORT, UNMATCHED, gbp("16.995"), LINES)
    assert ReportedPurchase(lines=(PurchaseLine(Decimal(0), gbp("1")),)).returned(REPORT, "GB").total == gbp("0")
    with pytest.raises(InvalidValue, match="positive numbers"):
        ReportedPurchase(lines=(PurchaseLine(Decimal(-1), gbp("1")),)).returned(REPORT, "GB")


@pytest.mark.parametrize("way", [ReportedPurchase.made, ReportedPurchase.returned])
def test_a_purchase_is_in_one_currency(way: Callable[..., Any]) -> None:
    euro = PurchaseLine(Decimal(1), Money(Decimal(1), "EUR"))
    for reported in (ReportedPurchase(lines=(*LINES, euro)), ReportedPurchase(lines=LINES, total=Money(Decimal(1), "EUR"))):
        with pytest.raises(CurrenciesMixed):
            way(reported, REPORT, "GB")


@pytest.mark.parametrize("way", [ReportedPurchase.made, ReportedPurchase.returned])
def test_a_purchase_has_lines_or_a_total(way: Callable[..., Any]) -> None:
    with pytest.raises(InvalidValue, match="neither lines nor a total"):
        way(ReportedPurchase(), REPORT, "GB")


@pytest.mark.parametrize(
    ("make", "saying"),
    [
        (lambda: PurchaseLine(Decimal("1E+30"), gbp("1")), "quantity"),
        (lambda: PurchaseLine(Decimal(1), gbp("1"), sku=""), "sku"),
        (lambda: PurchaseLine(Decimal(1), gbp("1"), sku="x" * 201), "sku"),
        (lambda: PurchaseLine(Decimal(1), gbp("1"), description="a\x00"), "description"),
        (lambda: PurchaseLine(Decimal(1), gbp("1"), description="x" * 2001), "2,001"),
        (lambda: ReportedPurchase(total=gbp("1"), reason="x" * 2001).made(REPORT, "GB"), "2,001"),
        (lambda: ReportedPurchase(total=gbp("1"), reason=" ").made(REPORT, "GB"), "reason"),
        (lambda: ReportedPurchase(total=gbp("1"), reason="\x00").returned(REPORT, "GB"), "reason"),
        (lambda: CustomerReference(external_id=""), "external id"),
    ],
)
def test_a_purchase_that_cannot_be_is_refused(make: Callable[[], Any], saying: str) -> None:
    with pytest.raises(InvalidValue, match=saying):
        make()


@pytest.mark.parametrize("way", [ReportedPurchase.made, ReportedPurchase.returned])
def test_what_a_source_says_of_the_customer_is_parted_into_clear_and_personal(way: Callable[..., Any]) -> None:
    who = ReportedCustomer(A, "17850", "0721 123 456", "Ana <ana@Example.com>")
    fact = way(ReportedPurchase(who, total=gbp("1")), REPORT, "RO", Match(A, MatchHow.ID))
    assert fact.customer == CustomerReference(A, "17850")
    assert fact.phone == PhoneNumber("+40721123456")
    assert fact.email == EmailAddress("ana@example.com")
    assert fact.match == Match(A, MatchHow.ID)


def test_a_withheld_number_and_an_empty_address_are_nothing() -> None:
    fact = ReportedPurchase(ReportedCustomer(phone="anonymous", email=" "), total=gbp("1")).made(REPORT, "RO")
    assert (fact.customer, fact.phone, fact.email) == (None, None, None)


@pytest.mark.parametrize("who", [ReportedCustomer(phone="12"), ReportedCustomer(email="ana"), ReportedCustomer(external_id="")])
def test_a_customer_that_cannot_be_is_refused(who: ReportedCustomer) -> None:
    with pytest.raises(InvalidValue):
        ReportedPurchase(who, total=gbp("1")).made(REPORT, "RO")


def inbound(**changes: Any) -> InboundFact:
    fact: dict[str, Any] = {
        "type": "purchase.made",
        "source": "shop",
        "subject": "1",
        "id": "1",
        "time": NOON,
        "data": {"total": {"amount": "1"}},
    }
    return InboundFact(**(fact | changes))


def test_a_fact_comes_in_with_its_names() -> None:
    assert inbound().report("night") == Report("shop", "1", "1", "night")


@pytest.mark.parametrize("field", ["type", "source", "subject", "id"])
@pytest.mark.parametrize("value", ["", "\t", "a\x00b", "a\x7f", "x" * 513])
def test_what_comes_in_is_named_in_text_on_a_line(field: str, value: str) -> None:
    with pytest.raises(InvalidValue, match=f"The {field}"):
        inbound(**{field: value})


@pytest.mark.parametrize("time", [NOON, NOON.astimezone(timezone(timedelta(hours=-7)))])
def test_a_time_has_an_offset(time: datetime) -> None:
    assert inbound(time=time).time == NOON


@pytest.mark.parametrize(
    ("time", "saying"),
    [
        (NOON.replace(tzinfo=None), "offset"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "9999"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), "9999"),
    ],
)
def test_a_time_that_cannot_be_placed_is_refused(time: datetime, saying: str) -> None:
    with pytest.raises(InvalidValue, match=saying):
        inbound(time=time)


@pytest.mark.parametrize("data", [{}, {"a": [1, 2.5, True, None, "x\ny", {"b": []}]}])
def test_data_holds_json_values(data: dict[str, Any]) -> None:
    assert inbound(data=data).data == data


def nested(levels: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(levels - 1):
        data = {"a": data}
    return data


def in_lists(levels: int) -> list[Any]:
    data: list[Any] = []
    for _ in range(levels - 1):
        data = [data]
    return data


@pytest.mark.parametrize(
    ("data", "saying"),
    [
        ([], "no JSON object"),
        (None, "no JSON object"),
        ({1: 2}, "name is no text"),
        ({"a": "\x00"}, "NUL"),
        ({"a\x00": 1}, "NUL"),
        ({"a": ["\udfff"]}, "surrogate"),
        ({"a": float("nan")}, "finite"),
        ({"a": [float("inf")]}, "finite"),
        ({"a": Decimal(1)}, "no JSON value"),
        ({"a": NOON}, "no JSON value"),
        ({"a": (1, 2)}, "no JSON value"),
        (nested(33), "nested more than 32 deep"),
        ({"a": in_lists(32)}, "nested"),
    ],
)
def test_data_that_json_cannot_hold_is_refused(data: Any, saying: str) -> None:
    with pytest.raises(InvalidValue, match=saying):
        inbound(data=data)


def test_data_may_be_nested_deep() -> None:
    assert inbound(data=nested(32)).data
    assert inbound(data={"a": in_lists(31)}).data


def test_every_inbound_type_becomes_its_own_event() -> None:
    assert set(INBOUND_BY_NAME) == {inbound_type.name for inbound_type in INBOUND_TYPES}
    made, returned = (
        INBOUND_BY_NAME[name].to_fact(ReportedPurchase(total=gbp("1")), REPORT, "GB") for name in ("purchase.made", "purchase.returned")
    )
    assert (type(made), type(returned)) == (PurchaseMade, PurchaseReturned)
