"""Several rows, one event: over the whole file, in memory that does not grow with it; one bad row rejects its event, all of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from consumers.importing import staging
from tests.consumers.importing.outcome import MemorySink, call, imported

MAPPING = """
source = "shop"
[file]
zone = "UTC"
[group]
by = { column = "order" }
[[event]]
type = "purchase.made"
subject = { column = "order" }
time = { column = "at" }
currency = { value = "EUR" }
data.reason = { column = "reason" }
lines.sku = { column = "sku" }
lines.quantity = { column = "n" }
lines.unit_price = { column = "price" }
"""
HEADER = "order,at,reason,sku,n,price\n"


def _skus(result_data: list[dict[str, list[dict[str, str]]]]) -> list[str]:
    return ["".join(line["sku"] for line in data["lines"]) for data in result_data]


def test_rows_of_one_event_need_not_stand_together(tmp_path: Path) -> None:
    rows = HEADER + "1,2020-01-01,,a,1,1\n2,2020-01-01,,b,1,1\n1,2020-01-01,,c,1,1\n3,2020-01-01,,d,1,1\n2,2020-01-01,,e,1,1\n"
    result = imported(tmp_path, MAPPING, rows)
    assert result.counts == (3, 3, 0, 0)
    assert [fact.subject for fact in result.facts] == ["1", "2", "3"]
    assert _skus(result.data) == ["ac", "be", "d"]


@pytest.mark.parametrize("in_hand", [1, 7, 100_000])
def test_scattered_rows_come_back_whole_and_in_order_however_little_is_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_hand: int
) -> None:
    monkeypatch.setattr(staging, "_ROWS_IN_HAND", in_hand)
    monkeypatch.setattr(staging, "_ROWS_IN_A_CHUNK", 3)
    chance = random.Random(7)
    orders = [chance.randrange(40) for _ in range(600)]
    rows = HEADER + "".join(f"{order},2020-01-01,,{place}.,1,1\n" for place, order in enumerate(orders))
    result = imported(tmp_path, MAPPING, rows)
    expected = {str(order): "".join(f"{place}." for place, other in enumerate(orders) if other == order) for order in dict.fromkeys(orders)}
    assert [fact.subject for fact in result.facts] == list(expected)
    assert _skus(result.data) == list(expected.values())


def test_a_bad_row_rejects_all_rows_of_its_event_and_each_is_listed(tmp_path: Path) -> None:
    rows = HEADER + "1,2020-01-01,,a,1,1\n2,2020-01-01,,b,1,1\n1,2020-01-01,,c,many,1\n1,2020-01-01,,d,1,cheap\n1,2020-01-01,,e,1,1\n"
    result = imported(tmp_path, MAPPING, rows)
    assert result.counts == (2, 1, 0, 1)
    assert [(row["line"], row["reason"].split(" (")[0]) for row in result.rejected] == [
        ("2", "belongs to an event that was rejected because of line 4"),
        ("4", "column n: 'many' is no number"),
        ("5", "column price: 'cheap' is no number"),
        ("6", "belongs to an event that was rejected because of line 4"),
    ]


def test_a_row_with_the_wrong_number_of_cells_rejects_the_event_that_it_names(tmp_path: Path) -> None:
    rows = HEADER + "1,2020-01-01,,a,1,1\n2,2020-01-01,,b,1,1\n1,2020-01-01,,c,1\n"
    result = imported(tmp_path, MAPPING, rows)
    assert result.counts == (2, 1, 0, 1)
    assert list(result.reasons) == [2, 4]


def test_a_row_that_names_no_event_is_rejected_alone(tmp_path: Path) -> None:
    result = imported(tmp_path, MAPPING, HEADER + "1,2020-01-01,,a,1,1\n,2020-01-01,,b,1,1\n ,2020-01-01,,c,1,1\n")
    assert result.counts == (3, 1, 0, 2)
    assert result.reasons[3] == "what the rows are grouped by is empty ([group], by)"


@pytest.mark.parametrize(
    ("differ", "time", "reason", "notices"),
    [
        ("first", 1, "x", ["1 event had more than one reason: the first counts.", "1 event had more than one time: the first counts."]),
        ("last", 3, "y", ["1 event had more than one reason: the last counts.", "1 event had more than one time: the last counts."]),
    ],
)
def test_where_rows_differ_the_first_or_the_last_counts_and_empty_cells_do_not(
    tmp_path: Path, differ: str, time: int, reason: str, notices: list[str]
) -> None:
    mapping = MAPPING.replace("[[event]]", f'differ = "{differ}"\n[[event]]')
    rows = HEADER + "1,2020-01-01,,a,1,1\n1,2020-01-02,x,b,1,1\n1,2020-01-03,y,c,1,1\n1,,,d,1,1\n2,2020-01-01,z,a,1,1\n2,,,a,1,1\n"
    result = imported(tmp_path, mapping, rows)
    assert result.counts == (2, 2, 0, 0)
    assert (result.facts[0].time.day, result.data[0]["reason"]) == (time, reason)
    assert result.said["notices"] == notices


def test_rows_that_differ_may_be_rejected(tmp_path: Path) -> None:
    mapping = MAPPING.replace("[[event]]", 'differ = "reject"\n[[event]]')
    result = imported(tmp_path, mapping, HEADER + "1,2020-01-01,,a,1,1\n1,2020-01-02,,b,1,1\n2,2020-01-01,z,a,1,1\n")
    assert result.counts == (2, 1, 0, 1)
    assert result.reasons[3] == "the rows of this event have more than one time"


def test_a_later_row_that_differs_is_read_and_may_spoil_the_event(tmp_path: Path) -> None:
    result = imported(tmp_path, MAPPING, HEADER + "1,2020-01-01,,a,1,1\n1,never,,b,1,1\n")
    assert result.counts == (1, 0, 0, 1)
    assert "column at: 'never' is no time" in result.reasons[3]


@pytest.mark.parametrize(
    ("order", "skus"),
    [
        ('{ column = "reason", as = "number" }', "cab"),
        ('{ column = "reason" }', "bca"),
        ('{ column = "at", as = "time" }', "bac"),
    ],
)
def test_rows_may_be_put_in_order(tmp_path: Path, order: str, skus: str) -> None:
    mapping = MAPPING.replace("[[event]]", f"order = {order}\n[[event]]")
    result = imported(tmp_path, mapping, HEADER + "1,2020-01-02,9,a,1,1\n1,2020-01-01,10,b,1,1\n1,2020-01-03,2,c,1,1\n")
    assert _skus(result.data) == [skus]
    assert result.data[0]["reason"] == {"c": "2", "b": "10"}[skus[0]]


def test_a_row_whose_place_is_unknown_spoils_the_event(tmp_path: Path) -> None:
    mapping = MAPPING.replace("[[event]]", 'order = { column = "reason", as = "number" }\n[[event]]')
    result = imported(tmp_path, mapping, HEADER + "1,2020-01-02,9,a,1,1\n1,2020-01-01,,b,1,1\n2,2020-01-01,x,c,1,1\n2,2020-01-01,1,c,1,1\n")
    assert "its place among the rows of the event is unknown" in result.reasons[3]
    assert "column reason: 'x' is no number" in result.reasons[4]


def test_rows_that_fit_different_sections_are_decided_by_the_first(tmp_path: Path) -> None:
    mapping = MAPPING.replace('type = "purchase.made"', 'when = { column = "reason", empty = true }\ntype = "purchase.made"')
    mapping += '\n[[event]]\ntype = "purchase.returned"\nsubject = { column = "order" }\ntime = { column = "at" }\n'
    result = imported(tmp_path, mapping, HEADER + "1,2020-01-01,,a,1,1\n1,2020-01-01,x,b,1,1\n")
    assert [fact.type for fact in result.facts] == ["purchase.made"]
    assert result.said["notices"] == ["1 event had rows that fit different [[event]] sections: the first row decided."]


def test_an_event_with_too_many_rows_is_rejected_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MOST_ROWS", 5)
    monkeypatch.setattr(staging, "_ROWS_IN_A_CHUNK", 2)
    rows = HEADER + "".join(f"{'big' if n % 2 else n},2020-01-01,,a,1,1\n" for n in range(30)) + "end,2020-01-01,,a,1,1\n"
    result = imported(tmp_path, MAPPING, rows)
    assert result.counts == (17, 16, 0, 1)
    assert len(result.rejected) == 15
    assert "is it grouped by the right column?" in result.rejected[0]["reason"]


@pytest.mark.parametrize(("rows", "counts"), [(6, (1, 1, 0, 0)), (7, (1, 0, 0, 1))])
def test_an_event_with_just_as_many_rows_as_allowed_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, counts: tuple[int, int, int, int]
) -> None:
    monkeypatch.setattr(staging, "MOST_ROWS", 6)
    monkeypatch.setattr(staging, "_ROWS_IN_A_CHUNK", 2)
    assert imported(tmp_path, MAPPING, HEADER + "1,2020-01-01,,a,1,1\n" * rows).counts == counts


def test_an_event_may_be_spread_over_files_whose_columns_stand_in_another_order(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(MAPPING)
    (tmp_path / "one.csv").write_text(HEADER + "1,2020-01-01,,a,1,1\n2,2020-01-01,,b,1,1\n")
    (tmp_path / "two.csv").write_text("price,n,sku,reason,at,order,more\n1,1,c,,2020-01-01,1,x\n1,many,d,,2020-01-01,2,y\n")
    sink = MemorySink()
    result = call(tmp_path, [tmp_path / "one.csv", tmp_path / "two.csv"], tmp_path / "map.toml", sink=sink)
    assert result.counts == (2, 1, 0, 1)
    assert _skus(result.data) == ["ac"]
    assert len(set(sink.batches)) == 1
    listed = [(row["file"], row["line"], row["reason"].split(" (")[0], row["sku"], row["more"]) for row in result.rejected]
    assert listed == [
        ("one.csv", "3", "belongs to an event that was rejected because of line 3 of two.csv", "b", ""),
        ("two.csv", "3", "column n: 'many' is no number", "d", "y"),
    ]
