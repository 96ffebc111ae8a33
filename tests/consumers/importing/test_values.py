"""Where values come from and what is done to them on their way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.consumers.importing.outcome import imported, one_value

A = {"A": " red ", "B": "7", "C": ""}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{ column = "A" }', "red"),
        ('{ value = "A" }', "A"),
        ("{ value = 5 }", "5"),
        ("{ value = 12.50 }", "12.50"),
        ("{ value = true }", "true"),
        ('{ template = "{A}-{B}" }', "red-7"),
        ('{ template = "{{{A}}}" }', "{red}"),
        ('{ template = "{A}-{C}" }', None),
        ('{ join = [ { column = "A" }, { column = "C" }, { column = "B" } ] }', "red 7"),
        ('{ join = [ { column = "A" }, { column = "B" } ], with = "/" }', "red/7"),
        ('{ join = [ { column = "C" }, { column = "C" } ] }', None),
        ('{ first_of = [ { column = "C" }, { column = "B" }, { column = "A" } ] }', "7"),
        ('{ column = "A", missing = ["red"] }', None),
        ('{ column = "A", missing = ["blue"] }', "red"),
        ('{ column = "A", remove_prefix = "r" }', "ed"),
        ('{ column = "A", remove_prefix = ["x", "re"] }', "d"),
        ('{ column = "A", remove_suffix = "d" }', "re"),
        ('{ column = "A", remove_suffix = "red" }', None),
        ('{ column = "A", replace = [["[re]", "x"], ["xx", "y"]] }', "yd"),
        (r'{ column = "A", replace = [["(r)(e)", "\\2\\1"]] }', "erd"),
        ('{ column = "A", case = "upper" }', "RED"),
        ('{ value = "ABC", case = "lower" }', "abc"),
        ('{ column = "A", map = { "red" = "r" } }', "r"),
        ('{ column = "A", map = { "blue" = "b" }, unmapped = "keep" }', "red"),
        ('{ column = "A", map = { "blue" = "b" }, unmapped = "empty" }', None),
        ('{ column = "A", map = { "red" = "" } }', None),
        ('{ column = "C", default = "none" }', "none"),
        ('{ column = "A", map = { "blue" = "b" }, unmapped = "empty", default = "other" }', "other"),
        ('{ column = "C", map = { "blue" = "b" } }', None),
        # the order: prefix, replace, case, map, default
        ('{ column = "A", remove_prefix = "r", replace = [["e", "o"]], case = "upper", map = { "OD" = "right" } }', "right"),
    ],
)
def test_a_text_comes_from_its_origin_and_goes_through_its_steps(tmp_path: Path, value: str, expected: str | None) -> None:
    assert one_value(tmp_path, value, A) == expected


def test_a_digest_is_the_same_for_the_same_text_and_short_enough_for_an_id(tmp_path: Path) -> None:
    long = {"A": "x" * 5_000}
    digest = one_value(tmp_path, '{ column = "A", digest = true }', long)
    assert len(digest) == 32
    assert digest == one_value(tmp_path, '{ column = "A", digest = true }', long)
    assert digest != one_value(tmp_path, '{ column = "A", digest = true }', {"A": "y"})


def test_the_files_markers_mean_missing_in_every_column_also_within_a_template(tmp_path: Path) -> None:
    markers = 'missing = ["?", "NULL"]'
    assert one_value(tmp_path, '{ column = "A" }', {"A": " ? "}, file=markers) is None
    assert one_value(tmp_path, '{ template = "{A}{B}" }', {"A": "NULL", "B": "1"}, file=markers) is None
    assert one_value(tmp_path, '{ value = "?" }', A, file=markers) == "?"


def test_what_is_not_in_a_map_is_rejected_unless_the_map_says_otherwise(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="column A: 'red' is not in the map"):
        one_value(tmp_path, '{ column = "A", map = { "blue" = "b" } }', A)


def test_a_regular_expression_is_not_run_on_a_long_text(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most 1,000"):
        one_value(tmp_path, '{ column = "A", replace = [["a", "b"]] }', {"A": "a" * 1_001})


@pytest.mark.parametrize(
    ("marks", "cell", "expected"),
    [
        ("", "12.30", "12.30"),
        ("", "+5", "5"),
        ("", "-0", "0"),
        ("", "-0.00", "0.00"),
        ("", "007", "7"),
        ("", ".5", "0.5"),
        ("", "5.", "5"),
        ("", "(12.30)", "-12.30"),
        ("", "12.30-", "-12.30"),
        ("", "\u221212", "-12"),
        ("", "123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"),
        ('decimal = ","', "12,30", "12.30"),
        ('decimal = ","\nthousands = "."', "1.234.567,50", "1234567.50"),
        ('thousands = ","', "1,234.50", "1234.50"),
        ('thousands = ","', "12,34,567.5", "1234567.5"),
        ('thousands = ","', "1234567", "1234567"),
        ('thousands = "\'"', "1'234", "1234"),
        ('decimal = ","\nthousands = " "', "1\u202f234\u00a0567 890,5", "1234567890.5"),
    ],
)
def test_a_number_is_exact_in_the_files_own_writing(tmp_path: Path, marks: str, cell: str, expected: str) -> None:
    assert _number(tmp_path, marks, cell, '{ column = "N" }') == expected


@pytest.mark.parametrize(
    ("marks", "cell"),
    [
        ("", "1,5"),
        ("", "1,234.50"),
        ("", "abc"),
        ("", "NaN"),
        ("", "Infinity"),
        ("", "1E+5"),
        ("", "--5"),
        ("", "-5-"),
        ("", "(-5)"),
        ("", "."),
        ("", "1 234"),
        ("", "1" * 101),
        ("", "\u0661\u0662"),
        ('thousands = ","', "1,5"),
        ('thousands = ","', "1,2345"),
        ('decimal = ","', "1.5"),
    ],
)
def test_what_is_no_number_is_rejected_never_guessed(tmp_path: Path, marks: str, cell: str) -> None:
    with pytest.raises(ValueError, match=r"column N: .* is no number"):
        _number(tmp_path, marks, cell, '{ column = "N" }')


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{ column = "N", negate = true }', "5.50"),
        ('{ column = "N", negate = { column = "side", is = "C" } }', "5.50"),
        ('{ column = "N", negate = { column = "side", is = "D" } }', "-5.50"),
        ("{ value = 0, negate = true }", "0"),
        ("{ value = 7, negate = true }", "-7"),
    ],
)
def test_a_number_is_turned_round_always_or_where_another_column_says_so(tmp_path: Path, value: str, expected: str) -> None:
    assert _number(tmp_path, "", "-5.50", value) == expected


def _number(folder: Path, marks: str, cell: str, value: str) -> str:
    mapping = f"""
source = "shop"
[file]
delimiter = "|"
{marks}
[[event]]
type = "purchase.made"
subject = {{ value = "1" }}
time = {{ value = "2020-01-01T00:00:00Z" }}
currency = {{ value = "EUR" }}
data.total = {value}
"""
    columns = "N|side" if "side" in value else "N|other"
    result = imported(folder, mapping, f"{columns}\n{cell}|C\n" if "N" in value else "other\nx\n")
    assert result.code == 0, result.error
    if result.rejected:
        raise ValueError(result.rejected[0]["reason"])
    assert result.data[0]["total"]["currency"] == "EUR"
    return str(result.data[0]["total"]["amount"])


def test_the_currency_may_come_from_a_column_and_an_amount_without_one_is_rejected(tmp_path: Path) -> None:
    mapping = """
source = "shop"
[[event]]
type = "purchase.made"
subject = { column = "order" }
time = { value = "2020-01-01T00:00:00Z" }
data.total = { column = "total", currency = { column = "currency", case = "upper" } }
"""
    result = imported(tmp_path, mapping, "order,total,currency\n1,5,eur\n2,6,\n3,,\n")
    assert result.data == [{"total": {"amount": "5", "currency": "EUR"}}, {}]
    assert result.reasons == {3: "the amount '6' has no currency"}


ALL_KINDS = """
source = "desk"
[file]
zone = "UTC"
[[event]]
type = "call.ended"
subject = { column = "id" }
time = { column = "end" }
data.began_at = { column = "begin" }
data.queue_seconds = { column = "queued" }
data.talk_seconds = { seconds_between = [ { column = "begin" }, { column = "end" } ] }
"""


@pytest.mark.parametrize(("queued", "expected"), [("166", 166), ("2:46", 166), ("0:02:46", 166), ("12.9", 12), ("1:00:00.7", 3600)])
def test_durations_are_whole_seconds_however_they_are_written(tmp_path: Path, queued: str, expected: int) -> None:
    rows = f"id,begin,end,queued\n1,2020-01-01 10:00:00,2020-01-01 10:02:03,{queued}\n"
    result = imported(tmp_path, ALL_KINDS, rows, recordable=["call.ended"])
    assert result.data == [{"began_at": "2020-01-01T10:00:00Z", "queue_seconds": expected, "talk_seconds": 123}]


def test_a_negative_duration_is_rejected_given_or_computed(tmp_path: Path) -> None:
    rows = "id,begin,end,queued\n1,2020-01-01 10:00,2020-01-01 10:01,-3\n2,2020-01-01 10:00,2020-01-01 09:00,3\n"
    result = imported(tmp_path, ALL_KINDS, rows, recordable=["call.ended"])
    assert result.reasons == {2: "column queued: '-3' is a negative duration", 3: "the end lies before the beginning"}


TICKET = """
source = "desk"
[file]
zone = "UTC"
[[event]]
type = "ticket.reported"
subject = { column = "id" }
id = { template = "{id}-{n}" }
time = { column = "at" }
data.sequence = { column = "n" }
data.reopened = { column = "re" }
"""


def test_whole_numbers_and_truths_are_json_of_their_kind(tmp_path: Path) -> None:
    cells = ["1,5.0,YES", "2,6,false", "3,7,", "4,1.5,no", "5,1,maybe", "6,99999999999999999,1"]
    rows = "id,n,re,at\n" + "".join(f"{row},2020-01-01\n" for row in cells)
    result = imported(tmp_path, TICKET, rows, recordable=["ticket.reported"])
    assert result.data == [{"sequence": 5, "reopened": True}, {"sequence": 6, "reopened": False}, {"sequence": 7}]
    assert result.reasons[5] == "column n: '1.5' is no whole number"
    assert result.reasons[6] == "column re: 'maybe' is neither true nor false (a map can make it so)"
    assert "is beyond 9,007,199,254,740,991" in result.reasons[7]


def test_a_list_is_several_values_or_one_that_is_split(tmp_path: Path) -> None:
    mapping = """
source = "mail"
[[event]]
type = "email.sent"
subject = { column = "id" }
time = { value = "2020-01-01T00:00:00Z" }
data.to = { column = "to", split = ";" }
data.cc = [ { column = "cc1" }, { column = "cc2" } ]
"""
    result = imported(tmp_path, mapping, "id,to,cc1,cc2\n1,a@x; b@x;,c@x,\n2,,,\n", recordable=["email.sent"])
    assert result.data == [{"to": ["a@x", "b@x"], "cc": ["c@x"]}, {}]
