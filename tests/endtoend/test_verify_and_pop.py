"""`crm verify` and `crm screen-pop` on what an import left."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.external_id import ExternalId
from tests.endtoend.installation import Installation
from tests.endtoend.shop import SOURCE, Line, ShopFile


@pytest.fixture
def somebody(shop: ShopFile) -> Line:
    """The first line of somebody with name, number and address."""
    return next(line for line in shop.lines if line["name"] and line["phone"] and line["email"])


def test_verify_finds_all_right_and_then_what_somebody_altered(filled: Installation) -> None:
    report = filled.crm("verify", "--json").json
    assert report["findings"] == []
    assert all(one["ok"] for one in [*report["partitions"], *report["tables"]])
    assert {one["table"]: one["digest"] for one in report["tables"]} == filled.full()
    filled.ask("UPDATE read.ledger_total SET value = value + 1 WHERE customer = (SELECT min(customer::text)::uuid FROM read.ledger_total)")
    try:
        wrong = filled.crm("verify", "--json", code=1).json
        assert [one["table"] for one in wrong["tables"] if not one["ok"]] == ["ledger_total"]
        assert wrong["findings"]
    finally:
        filled.crm("rebuild", "ledger")
    assert filled.full() == {one["table"]: one["digest"] for one in report["tables"]}


def test_a_pop_by_number_by_id_and_by_the_sources_id_is_of_the_same_customer(filled: Installation, shop: ShopFile, somebody: Line) -> None:
    customer = str(ExternalId(SOURCE, somebody["customer"]).customer)
    own = ShopFile([line for line in shop.lines if line["customer"] == somebody["customer"]])
    for asked in (
        (somebody["phone"],),
        ("+40" + "".join(somebody["phone"].split()).lstrip("0"),),
        ("--customer", customer),
        ("--external-id", f"{SOURCE}:{somebody['customer']}"),
    ):
        done = filled.crm("screen-pop", *asked)
        assert somebody["name"] in done.out, asked
        assert somebody["email"] in done.out, asked
    answer = filled.crm("screen-pop", "--json", somebody["phone"]).json
    assert [one["customer"] for one in answer["candidates"]] == [customer]
    (worth,) = answer["found"]["values"]
    assert (Decimal(worth["value"]), worth["currency"]) == (own.total, "RON")
    assert worth["orders"] + worth["returns"] == own.events


def test_a_stranger_has_no_pop(filled: Installation) -> None:
    done = filled.crm("screen-pop", "+40 21 999 99 99", code=1)
    assert "Traceback" not in done.err
    assert done.out or done.err
