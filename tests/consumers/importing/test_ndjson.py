"""NDJSON: one object a line, columns by path, numbers exact, bad lines rejected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.consumers.importing.outcome import SIMPLE, Imported, imported

NESTED = """
source = "shop"
[file]
type = "ndjson"
decimal = ","
optional = ["note"]
[customer]
external_id = { column = "customer.id" }
[[event]]
type = "purchase.made"
subject = { column = "order" }
time = { column = "at" }
currency = { column = "sum.currency" }
data.total = { column = "sum.amount" }
data.reason = { first_of = [ { column = "note" }, { column = "tags.0" }, { column = "a.b" } ] }
"""
WHO = '"at": "2020-01-01T00:00:00Z", "customer": {"id": "c1"}'
FULL = WHO + ', "sum": {"amount": 12.50, "currency": "EUR"}, "tags": ["x", "y"], "a.b": "dotted"'


def _run(folder: Path, rows: str, mapping: str = NESTED) -> Imported:
    result = imported(folder, mapping, rows, name="rows.ndjson")
    assert (result.code, result.error) == (0, "")
    return result


def test_columns_are_paths_and_numbers_keep_their_writing(tmp_path: Path) -> None:
    result = _run(
        tmp_path, f'{{"order": 7, {FULL}}}\n\n{{"order": "8", {FULL.replace("12.50", "1.5e2").replace("[", "[null, ")}, "note": "n"}}\n'
    )
    assert [fact.subject for fact in result.facts] == ["7", "8"]
    assert result.data[0] == {"customer": {"external_id": "c1"}, "total": {"amount": "12.50", "currency": "EUR"}, "reason": "x"}
    assert result.data[1] == {"customer": {"external_id": "c1"}, "total": {"amount": "150", "currency": "EUR"}, "reason": "n"}


def test_texts_are_in_the_files_writing_and_json_numbers_in_jsons(tmp_path: Path) -> None:
    result = _run(tmp_path, f'{{"order": 1, {FULL.replace("12.50", chr(34) + "12,50" + chr(34))}}}\n')
    assert result.data[0]["total"]["amount"] == "12.50"


def test_a_key_with_a_dot_and_an_empty_list(tmp_path: Path) -> None:
    without_tags = FULL.replace('["x", "y"]', "[]")
    assert _run(tmp_path, f'{{"order": 1, {without_tags}}}\n{{"order": 2, {FULL}}}\n').data[0]["reason"] == "dotted"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "the line is no JSON: "),
        ("[1]", "the line is JSON, but no object in braces"),
        ('{"order": NaN}', "the line is no JSON: NaN is no JSON number"),
        ('{"order": -Infinity}', "the line is no JSON: -Infinity is no JSON number"),
        ('{"order": 1e999}', "1e999 is no number that anybody counts with"),
        ('{"order": {"a": 1}}', "column order holds an object, not one value"),
        ('{"order": []}', "column order holds a list, not one value"),
        ('{"order": "\\ud800"}', "column order holds half of a surrogate pair"),
        ('{"order": "a\\u0000b"}', "column order holds a NUL"),
        ('{"order": "é\\u0000"}', "column order holds a NUL"),
        ("[" * 100_000, "the line is nested too deeply"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_used_is_rejected_and_the_others_are_not(tmp_path: Path, line: str, reason: str) -> None:
    result = _run(tmp_path, f'{line}\n{{"order": 1, {FULL}}}\n')
    assert result.counts == (2, 1, 0, 1)
    assert result.reasons[1].startswith(reason)
    assert result.rejected[0]["row"] == line


def test_true_false_and_null(tmp_path: Path) -> None:
    mapping = SIMPLE + 'data.reason = { column = "flag" }\n'
    rows = '{"order": true, "at": "2020-01-01", "total": null, "flag": false}\n{"order": 2, "at": "2020-01-01", "total": 1, "flag": null}\n'
    result = _run(tmp_path, rows, mapping)
    assert [(fact.subject, fact.data) for fact in result.facts] == [
        ("true", {"reason": "false"}),
        ("2", {"total": {"amount": "1", "currency": "RON"}}),
    ]


UNFOLD = """
source = "shop"
[file]
type = "ndjson"
unfold = "items"
[group]
by = { column = "order" }
[[event]]
type = "purchase.made"
subject = { column = "order" }
time = { column = "at" }
currency = { value = "EUR" }
lines.sku = { column = "items.sku" }
lines.quantity = { column = "items.n" }
lines.unit_price = { column = "items.price" }
"""


def _order(number: int, items: str) -> str:
    return f'{{"order": {number}, "at": "2020-01-01T00:00:00Z", "items": {items}}}\n'


def test_the_members_of_a_list_become_rows(tmp_path: Path) -> None:
    items = '[{"sku": "a", "n": 2, "price": 1.10}, {"sku": "b", "n": 1, "price": 3}]'
    result = _run(tmp_path, _order(1, items) + _order(2, "[]") + _order(3, "null"), UNFOLD)
    assert result.counts == (3, 3, 0, 0)
    assert result.said["rows"] == 4
    assert [len(data["lines"]) for data in result.data] == [2, 0, 0]
    assert result.data[0]["lines"][1] == {"sku": "b", "quantity": "1", "unit_price": {"amount": "3", "currency": "EUR"}}


def test_a_bad_member_rejects_its_document_once(tmp_path: Path) -> None:
    rows = (
        _order(1, '[{"sku": "a", "n": "x", "price": 1}, {"sku": "b", "n": 1, "price": 1}]')
        + _order(2, '"all"')
        + _order(3, '[{"sku": "c", "n": 1, "price": 1}]')
    )
    result = _run(tmp_path, rows, UNFOLD)
    assert result.counts == (3, 1, 0, 2)
    assert [(row["line"], row["reason"].split(" (")[0]) for row in result.rejected] == [
        ("1", "column items.n: 'x' is no number"),
        ("2", "'items' is no list, so it cannot be unfolded"),
    ]
    assert result.rejected[0]["row"] == rows.splitlines()[0]
