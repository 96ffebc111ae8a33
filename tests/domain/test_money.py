"""Money is exact, in one currency, and never shows an exponent."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.currency import ACTIVE, HISTORIC
from domain.money import CurrenciesDiffer, Money, exact_total, sum_by_currency
from domain.value import InvalidValue

amounts = st.decimals(min_value=-(10**15), max_value=10**15, places=6, allow_nan=False)
quantities = st.decimals(min_value=-100, max_value=100, places=3, allow_nan=False)


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


@pytest.mark.parametrize("text", ["12.30", "0", "-0.005", "1000000", "0.000000000000000001", "999999999999999999.999999999999999999"])
def test_an_amount_keeps_its_digits_and_its_scale(text: str) -> None:
    assert Money.parse(text, "EUR").text == text


def test_an_amount_never_shows_an_exponent() -> None:
    assert eur("1E+3").text == "1000"
    assert eur("0.0000001").text == "0.0000001"
    assert eur("-0.00").text == "0.00"
    assert str(eur("12.30")) == "12.30 EUR"


@pytest.mark.parametrize(
    "amount",
    ["NaN", "sNaN", "Infinity", "-Infinity", "1E+18", "1000000000000000000", "0.0000000000000000001", "1E-19", "0E+999999", "0E-999999"],
)
def test_an_amount_is_finite_and_within_eighteen_digits_either_side(amount: str) -> None:
    with pytest.raises(InvalidValue, match=r"\.$"):
        eur(amount)


@pytest.mark.parametrize(
    "text", ["", " ", "12,30", "1.234,56", "1,234.56", "1e3", "NaN", ".", "12.", ".5", "--1", "0x10", "\uff11\uff12", "12 30", "1" * 41]
)
def test_text_that_is_no_plain_decimal_number_is_no_amount(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"12\.30"):
        Money.parse(text, "EUR")


def test_amounts_are_read_as_people_write_them() -> None:
    assert Money.parse(" +12.30 ", " eur ") == eur("12.30")


@pytest.mark.parametrize("code", ["EUR", "RON", "GBP", "JPY", "KWD", "XAU", "ROL", "DEM", "FRF", "BGN", "HRK", "ZWL"])
def test_currencies_of_today_and_of_old_are_taken(code: str) -> None:
    assert Money(Decimal(1), code).currency == code


@pytest.mark.parametrize("code", ["XXX", "XTS", "eur", "EU", "EURO", "", "€", "ABC", " EUR"])
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(InvalidValue, match="ISO 4217"):
        Money(Decimal(1), code)


def test_the_two_tables_of_currencies_are_apart_and_well_formed() -> None:
    assert not ACTIVE & HISTORIC
    assert len(ACTIVE) == 176
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in ACTIVE | HISTORIC)


def test_amounts_of_two_currencies_are_not_added() -> None:
    with pytest.raises(CurrenciesDiffer):
        eur("1") + Money(Decimal(1), "RON")
    with pytest.raises(CurrenciesDiffer):
        eur("1") - Money(Decimal(1), "RON")


def test_adding_keeps_all_digits_where_python_would_round() -> None:
    large, small = eur("999999999999999998.000000000000000001"), eur("1.000000000000000001")
    assert (large + small).text == "999999999999999999.000000000000000002"
    assert (large - small).text == "999999999999999997.000000000000000000"
    assert (-large).text == "-999999999999999998.000000000000000001"


def test_a_sum_with_too_many_digits_is_refused() -> None:
    with pytest.raises(InvalidValue, match="18 digits"):
        eur("999999999999999999") + eur("1")


@pytest.mark.parametrize(
    ("price", "quantity", "product"),
    [
        ("12.30", "2", "24.60"),
        ("12.30", "2.0", "24.60"),
        ("12.30", "0.5", "6.15"),
        ("0.001", "0.000001", "0.000000001"),
        ("10", "1E+2", "1000"),
        ("2.55", "0", "0.00"),
        ("5", "-3", "-15"),
        ("0.00", "-1", "0.00"),
    ],
)
def test_a_product_is_exact_and_has_no_more_zeros_than_the_price(price: str, quantity: str, product: str) -> None:
    assert eur(price).times(Decimal(quantity)).text == product


def test_a_product_with_too_many_digits_is_refused_and_not_rounded() -> None:
    with pytest.raises(InvalidValue, match="18 decimals"):
        eur("0.000000000000000001").times(Decimal("0.1"))
    with pytest.raises(InvalidValue, match="18 digits"):
        eur("999999999999").times(Decimal(10**12))


@pytest.mark.parametrize("quantity", ["NaN", "Infinity", "1000000000001", "-1000000000001", "1E+30", "0E+99999", "0.0000001"])
def test_a_quantity_is_finite_and_within_bounds(quantity: str) -> None:
    with pytest.raises(InvalidValue, match="quantity"):
        eur("1").times(Decimal(quantity))


def test_sums_are_kept_apart_by_currency() -> None:
    sums = sum_by_currency([Money(Decimal(5), "RON"), eur("1.10"), eur("2.205"), Money(Decimal(-5), "RON")])
    assert list(sums) == ["EUR", "RON"]
    assert sums["EUR"].text == "3.305"
    assert sums["RON"].text == "0"


def test_a_sum_may_pass_the_bound_on_its_way() -> None:
    assert sum_by_currency([eur("999999999999999999"), eur("1"), eur("-1")])["EUR"] == eur("999999999999999999")


def test_a_total_has_the_scale_of_the_finest_price() -> None:
    assert exact_total([(eur("5"), Decimal(2))]).text == "10"
    assert exact_total([(eur("5"), Decimal(2)), (eur("1.50"), Decimal(2))]).text == "13.00"
    assert exact_total([(eur("5.5"), Decimal("0.5"))]).text == "2.75"


def test_a_total_of_two_currencies_is_refused() -> None:
    with pytest.raises(CurrenciesDiffer):
        exact_total([(eur("1"), Decimal(1)), (Money(Decimal(1), "RON"), Decimal(1))])


@given(amounts, amounts)
@settings(max_examples=200, deadline=None)
def test_what_was_added_can_be_taken_away_again(one: Decimal, other: Decimal) -> None:
    assert Money(one, "EUR") + Money(other, "EUR") - Money(other, "EUR") == Money(one, "EUR")


@given(amounts, quantities)
@settings(max_examples=200, deadline=None)
def test_a_product_is_the_one_of_fractions(amount: Decimal, quantity: Decimal) -> None:
    assert Fraction(Money(amount, "EUR").times(quantity).amount) == Fraction(amount) * Fraction(quantity)


@given(st.lists(st.tuples(amounts, quantities), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_a_total_is_the_sum_of_fractions(items: list[tuple[Decimal, Decimal]]) -> None:
    total = exact_total((Money(price, "EUR"), quantity) for price, quantity in items)
    assert Fraction(total.amount) == sum(Fraction(price) * Fraction(quantity) for price, quantity in items)


@given(amounts)
@settings(max_examples=200, deadline=None)
def test_text_and_amount_are_the_same(amount: Decimal) -> None:
    text = Money(amount, "EUR").text
    assert "E" not in text
    assert Money.parse(text, "EUR") == Money(amount, "EUR")
