"""Customers met on the way: each captured once, as the first row describes it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumers.importing import customers
from consumers.importing.drafts import AddressDraft, CustomerDraft, EmailDraft, PhoneDraft
from tests.consumers.importing.outcome import MemorySink, imported

CAPTURE = """
[customer]
external_id = { column = "id", remove_suffix = ".0" }
phone = { column = "mobile" }
[customer.capture]
company = { column = "company" }
given_name = { column = "given" }
family_name = { column = "family" }
language = { value = "en" }
phone_region = { column = "country" }
phones = [ { column = "mobile", kind = "mobile" }, { column = "desk", kind = "direct_line", label = "office" } ]
emails = [ { column = "mail", label = "work" } ]
[[customer.capture.addresses]]
label = "home"
lines = [ { column = "street" }, { column = "floor" } ]
city = { column = "city" }
country = { column = "country", map = { "GB" = "GB", "nowhere" = "" } }
"""
PURCHASES = (
    """
source = "shop"
[file]
zone = "UTC"
"""
    + CAPTURE
    + """
[[event]]
type = "purchase.made"
subject = { column = "order" }
time = { column = "at" }
"""
)
HEADER = "order,at,id,company,given,family,mobile,desk,mail,street,floor,city,country\n"
ANN = "c1.0,,Ann,Example,07700 900001,,ann@example.org,1 High Street,,York,GB"


def test_a_customer_is_drawn_from_its_first_row(tmp_path: Path) -> None:
    result = imported(tmp_path, PURCHASES, HEADER + f"1,2020-01-01,{ANN}\n2,2020-01-02,{ANN}\n3,2020-01-03,,,,,,,,,,,\n")
    assert result.sink.customers == {
        "c1": CustomerDraft(
            source="shop",
            external_id="c1",
            given_name="Ann",
            family_name="Example",
            phones=(PhoneDraft("07700 900001", "mobile"),),
            emails=(EmailDraft("ann@example.org", "work"),),
            addresses=(AddressDraft(("1 High Street",), city="York", country="GB", label="home"),),
            language="en",
            phone_region="GB",
            met_at=datetime(2020, 1, 1, tzinfo=UTC),
            file="rows.csv",
            line=2,
        )
    }
    assert [data.get("customer") for data in result.data] == [{"external_id": "c1", "phone": "07700 900001"}] * 2 + [None]
    assert result.said["customers"] == {"met": 1, "recorded": 1, "known": 0, "rejected": 0}
    assert result.said["notices"] == []


@pytest.mark.parametrize("remembered", [1, 20_000])
def test_rows_that_differ_are_said_once_for_each_customer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered: int) -> None:
    monkeypatch.setattr(customers, "_REMEMBERED", remembered)
    other, moved, broken = ANN.replace("c1", "c2"), ANN.replace("York", "Leeds"), ANN.replace("GB", "XX")
    rows = "".join(
        f"{n},2020-01-01,{row}\n" for n, row in enumerate([ANN, other, moved, ANN, moved, other, broken, ANN.replace("GB", "nowhere ")])
    )
    result = imported(tmp_path, PURCHASES, HEADER + rows)
    assert len(result.sink.customers) == 2
    assert result.sink.customers["c1"].addresses[0].city == "York"
    assert result.said["notices"] == ["1 customer differed from row to row: the first row counts."]


def test_a_customer_that_cannot_be_captured_is_listed_and_its_event_is_recorded(tmp_path: Path) -> None:
    sink = MemorySink(refuse_customer=lambda draft: "This is no e-mail address." if draft.external_id == "c2" else None)
    rows = f"1,2020-01-01,{ANN.replace('GB', 'XX')}\n2,2020-01-01,{ANN.replace('c1', 'c2')}\n3,2020-01-01,{ANN}\n"
    result = imported(tmp_path, PURCHASES, HEADER + rows, sink=sink)
    assert result.counts == (3, 3, 0, 0)
    assert result.said["customers"] == {"met": 2, "recorded": 0, "known": 0, "rejected": 2}
    assert result.reasons == {
        2: "the customer is not captured: column country: 'XX' is not in the map",
        3: "the customer is not captured: This is no e-mail address.",
    }


def test_the_customer_of_a_rejected_event_is_not_met(tmp_path: Path) -> None:
    result = imported(tmp_path, PURCHASES, HEADER + f"1,never,{ANN}\n")
    assert result.said["customers"]["met"] == 0
    assert not result.sink.customers


def test_a_customer_met_ahead_of_now_is_met_now(tmp_path: Path) -> None:
    result = imported(tmp_path, PURCHASES, HEADER + f"1,9999-01-01,{ANN}\n")
    met_at = result.sink.customers["c1"].met_at
    assert met_at is not None
    assert met_at.year < 9999


def test_customers_alone_are_what_is_read(tmp_path: Path) -> None:
    mapping = 'source = "shop"\n' + CAPTURE
    rows = HEADER + "".join(
        f",,{row}\n" for row in [ANN, ANN, ANN.replace("York", "Leeds"), ANN.replace("c1.0", ""), ANN.replace("c1", "c2"), "c3"]
    )
    sink = MemorySink(refuse_customer=lambda draft: "Not this one." if draft.external_id == "c2" else None)
    result = imported(tmp_path, mapping, rows, sink=sink)
    assert result.counts == (4, 1, 0, 3)
    assert list(result.sink.customers) == ["c1"]
    assert result.sink.customers["c1"].met_at is None
    assert [row["reason"].split(":")[0] for row in result.rejected] == [
        "the external id is empty",
        "the customer is not captured",
        "the row has 3 cells where the header has 13",
    ]
    assert imported(tmp_path, mapping, rows, sink=sink).counts == (4, 0, 1, 3)


def test_rows_of_one_event_may_tell_of_several_customers(tmp_path: Path) -> None:
    mapping = PURCHASES.replace("[[event]]", '[group]\nby = { column = "order" }\n[[event]]')
    result = imported(tmp_path, mapping, HEADER + f"1,2020-01-01,{ANN}\n1,2020-01-01,{ANN.replace('c1', 'c2')}\n1,2020-01-01,{ANN}\n")
    assert list(result.sink.customers) == ["c1", "c2"]
    assert result.said["notices"] == ["1 event had more than one customer: the first counts."]


def test_a_fact_may_refer_to_a_customer_that_is_not_captured(tmp_path: Path) -> None:
    mapping = PURCHASES.replace(CAPTURE, '[customer]\nemail = { column = "mail" }\n')
    result = imported(tmp_path, mapping, HEADER + f"1,2020-01-01,{ANN}\n")
    assert result.data == [{"customer": {"email": "ann@example.org"}}]
    assert result.said["customers"]["met"] == 0


def test_a_number_that_refers_to_the_customer_is_dialled_in_the_region_that_is_said(tmp_path: Path) -> None:
    mapping = """
        source = "till"
        [file]
        zone = "Europe/Bucharest"
        dates = ["%Y-%m-%d"]
        [customer]
        phone = { column = "Tel" }
        phone_region = { value = "RO" }
        [[event]]
        type = "purchase.made"
        subject = { column = "No" }
        time = { column = "On" }
        currency = { value = "RON" }
        lines.quantity = { value = "1" }
        lines.unit_price = { column = "Price" }
    """
    rows = "No,On,Tel,Price\n1,2026-01-05,0722 123 456,2.00\n2,2026-01-05,no number at all,2.00\n"
    result = imported(tmp_path, mapping, rows)
    assert [fact.data["customer"]["phone"] for fact in result.facts][:1] == ["+40722123456"]
