"""Times: how they are written, in which zone, and what changes of the clocks do to them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.consumers.importing.outcome import SIMPLE, Imported, imported


def _import_time(folder: Path, cell: str, format_: str, zone: str = "UTC", more: str = "") -> Imported:
    zone_line = f'zone = "{zone}"' if zone else ""
    mapping = f"""
source = "shop"
[file]
delimiter = "|"
{zone_line}
[[event]]
type = "purchase.made"
subject = {{ value = "1" }}
time = {{ column = "at", format = {format_}{more} }}
"""
    return imported(folder, mapping, f"at|x\n{cell}|y\n")


@pytest.mark.parametrize(
    ("cell", "format_", "expected"),
    [
        ("2010-12-01 08:26:00", '"%Y-%m-%d %H:%M:%S"', datetime(2010, 12, 1, 8, 26)),
        ("29/2/2016 01:16", '"%d/%m/%Y %H:%M"', datetime(2016, 2, 29, 1, 16)),
        ("990201 7:02:47", '"%y%m%d %H:%M:%S"', datetime(1999, 2, 1, 7, 2, 47)),
        ("680201", '"%y%m%d"', datetime(2068, 2, 1)),
        ("12/1/10 8:26 pm", '"%m/%d/%y %I:%M %p"', datetime(2010, 12, 1, 20, 26)),
        ("12/1/10 12:26 A.M.", '"%m/%d/%y %I:%M %p"', datetime(2010, 12, 1, 0, 26)),
        ("1. Dec. 2010", '"%d. %b %Y"', datetime(2010, 12, 1)),
        ("december 1, 2010", '"%B %d, %Y"', datetime(2010, 12, 1)),
        ("Wed 1 Dec 2010", '"%a %d %b %Y"', datetime(2010, 12, 1)),
        ("20101201082600123", '"%Y%m%d%H%M%S%f"', datetime(2010, 12, 1, 8, 26, 0, 123000)),
        ("2010-12-01 08:26:00.123456789", '"%Y-%m-%d %H:%M:%S.%f"', datetime(2010, 12, 1, 8, 26, 0, 123456)),
        ("2010-12-01 08:26 +0200", '"%Y-%m-%d %H:%M %z"', datetime(2010, 12, 1, 6, 26)),
        ("2010-12-01T08:26-05:30", '"%Y-%m-%dT%H:%M%z"', datetime(2010, 12, 1, 13, 56)),
        ("2010-12-01 24:00", '"%Y-%m-%d %H:%M"', datetime(2010, 12, 2)),
        ("2010-12-01   08:26", '"%Y-%m-%d %H:%M"', datetime(2010, 12, 1, 8, 26)),
        ("100%2010-12-01", '"100%%%Y-%m-%d"', datetime(2010, 12, 1)),
        ("2010-12-01T08:26:00Z", '"iso"', datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01t08:26:00.5+01:00", '"iso"', datetime(2010, 12, 1, 7, 26, 0, 500000)),
        ("1291191960", '"unix"', datetime(2010, 12, 1, 8, 26)),
        ("-1.25", '"unix"', datetime(1969, 12, 31, 23, 59, 58, 750000)),
        ("1291191960123", '"unix_ms"', datetime(2010, 12, 1, 8, 26, 0, 123000)),
        ("1.12.2010", '["%Y-%m-%d", "%d.%m.%Y"]', datetime(2010, 12, 1)),
        ("0001-01-01", '"%Y-%m-%d"', datetime(1, 1, 1)),
    ],
)
def test_a_time_is_read_as_its_format_says(tmp_path: Path, cell: str, format_: str, expected: datetime) -> None:
    result = _import_time(tmp_path, cell, format_)
    assert (result.error, result.reasons) == ("", {})
    assert result.facts[0].time == expected.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "format_", "reason"),
    [
        ("2010-13-01", '"%Y-%m-%d"', "is no time that exists"),
        ("30.2.2011", '"%d.%m.%Y"', "is no time that exists"),
        ("2010-12-01 25:00", '"%Y-%m-%d %H:%M"', "is no time that exists"),
        ("2010-12-01 24:01", '"%Y-%m-%d %H:%M"', "is no time that exists"),
        ("0000-12-01", '"%Y-%m-%d"', "is no time that exists"),
        ("9999-12-31 24:00", '"%Y-%m-%d %H:%M"', "is no time that exists"),
        ("1/1/10 13:00 pm", '"%m/%d/%y %I:%M %p"', "the hour is 1 to 12"),
        ("2010-12-01 extra", '"%Y-%m-%d"', "is no time written as %Y-%m-%d"),
        ("99021", '"%y%m%d"', "is no time written as %y%m%d"),
        ("\u0662010-12-01", '"%Y-%m-%d"', "is no time written as"),
        ("yesterday", '"iso"', "is no time written as iso"),
        ("99999999999999999999", '"unix"', "is no time written as unix"),
        ("999999999999999", '"unix"', "is no time that a calendar"),
        ("1.12.2010", '["%Y-%m-%d", "iso"]', "is no time written as %Y-%m-%d or iso"),
        ("", '"%Y-%m-%d"', "the time is empty"),
    ],
)
def test_what_is_no_time_is_rejected(tmp_path: Path, cell: str, format_: str, reason: str) -> None:
    result = _import_time(tmp_path, cell, format_)
    assert result.counts == (1, 0, 0, 1)
    assert reason in result.reasons[2]


@pytest.mark.parametrize(("cell", "zone"), [("9999-12-31 23:30", "America/New_York"), ("0001-01-01 00:30", "Asia/Tokyo")])
def test_a_time_that_leaves_the_calendar_in_utc_is_rejected(tmp_path: Path, cell: str, zone: str) -> None:
    result = _import_time(tmp_path, cell, '"%Y-%m-%d %H:%M"', zone)
    assert "outside the years 1 to 9999" in result.reasons[2]


def test_an_iso_time_without_offset_is_rejected_where_no_zone_is_stated(tmp_path: Path) -> None:
    result = _import_time(tmp_path, "2010-12-01T08:26", '"iso"', zone="")
    assert "has no offset, and the mapping states no zone" in result.reasons[2]
    assert _import_time(tmp_path, "2010-12-01T08:26Z", '"iso"', zone="").counts == (1, 1, 0, 0)


def test_a_value_may_have_a_zone_of_its_own(tmp_path: Path) -> None:
    result = _import_time(tmp_path, "2010-07-01 08:00", '"%Y-%m-%d %H:%M"', "UTC", ', zone = "Asia/Tokyo"')
    assert result.facts[0].time == datetime(2010, 6, 30, 23, tzinfo=UTC)


def test_skipped_and_repeated_hours_have_a_rule_and_are_counted(tmp_path: Path) -> None:
    """Bucharest: at 03:00 on 2021-03-28 the clocks went to 04:00; at 04:00 on 2021-10-31 back to 03:00."""
    rows = "order,at,total\n1,2021-03-28 03:30,1\n2,2021-10-31 03:30,1\n3,2021-10-31 02:30,1\n4,2021-06-01 12:00,1\n5,2021-03-28 03:59,1\n"
    result = imported(tmp_path, SIMPLE, rows)
    assert [fact.time for fact in result.facts] == [
        datetime(2021, 3, 28, 1, 30, tzinfo=UTC),  # as if not put forward: 03:30 at +02:00, which is 04:30 on the new clock
        datetime(2021, 10, 31, 0, 30, tzinfo=UTC),  # the first pass, still at +03:00
        datetime(2021, 10, 30, 23, 30, tzinfo=UTC),
        datetime(2021, 6, 1, 9, 0, tzinfo=UTC),
        datetime(2021, 3, 28, 1, 59, tzinfo=UTC),
    ]
    assert result.said["notices"] == [
        "1 event fell into an hour that the clocks showed twice: read as the first time.",
        "2 events fell into an hour that the clocks skipped: read as if they had not been put forward.",
    ]


def test_times_ahead_of_now_are_taken_and_counted(tmp_path: Path) -> None:
    result = imported(tmp_path, SIMPLE, "order,at,total\n1,9999-12-31 12:00,1\n2,2020-01-01,1\n")
    assert result.counts == (2, 2, 0, 0)
    assert result.facts[0].time == datetime(9999, 12, 31, 10, tzinfo=UTC)
    assert result.said["notices"] == ["1 event lay ahead of now: recorded as of now, keeping the time that was said."]


CALLS = """
source = "desk"
[file]
zone = "Asia/Jerusalem"
dates = ["%y%m%d %H:%M:%S"]
[[event]]
type = "call.ended"
subject = { column = "id" }
time = { template = "{date} {end}", not_before = { template = "{date} {begin}" } }
data.began_at = { template = "{date} {begin}" }
"""


def test_a_clock_past_midnight_beside_the_date_of_the_start_is_the_next_day(tmp_path: Path) -> None:
    cells = ["1,990201,23:59:00,0:01:00", "2,990201,7:02:47,7:05:00", "3,990201,9:48:14,9:47:17", "4,990201,9:48:14,", "5,990201,,9:00:00"]
    rows = "\n".join(["id,date,begin,end", *cells]) + "\n"
    result = imported(tmp_path, CALLS, rows, recordable=["call.ended"])
    assert [fact.time for fact in result.facts] == [datetime(1999, 2, 1, 22, 1, tzinfo=UTC), datetime(1999, 2, 1, 5, 5, tzinfo=UTC)]
    assert "lies before its beginning, and not because of a midnight" in result.reasons[4]
    assert "the time is empty" in result.reasons[5]
    assert "the time that it must not lie before is empty" in result.reasons[6]


def test_a_day_is_the_day_as_written_whatever_the_zone(tmp_path: Path) -> None:
    mapping = """
source = "books"
[file]
zone = "Asia/Tokyo"
dates = ["%d.%m.%Y %H:%M", "%d.%m.%Y"]
[[event]]
type = "invoice.issued"
subject = { column = "no" }
time = { column = "at" }
data.due_on = { column = "due" }
"""
    rows = "no,at,due\n1,1.12.2010 03:00,31.12.2010\n2,1.12.2010,31.12.2010 00:30\n3,1.12.2010,32.12.2010\n"
    result = imported(tmp_path, mapping, rows, recordable=["invoice.issued"])
    assert result.data == [{"due_on": "2010-12-31"}, {"due_on": "2010-12-31"}]
    assert "is no time that exists" in result.reasons[4]
