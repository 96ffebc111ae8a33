"""What the table of a bench says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import _report
from bench._report import Results, Row


@pytest.mark.parametrize(
    ("row", "reached"),
    [
        (Row("x", "kafka", "/s", 15_000, at_least=15_000), True),
        (Row("x", "kafka", "/s", 14_999, at_least=15_000), False),
        (Row("x", "kafka", "/s", 60, 100, ratio_at_least=0.6), True),
        (Row("x", "kafka", "/s", 59, 100, ratio_at_least=0.6), False),
        (Row("x", "kafka", "ms", 20, 10, ratio_at_most=2), True),
        (Row("x", "kafka", "ms", 21, 10, ratio_at_most=2), False),
        (Row("x", "kafka", "ms", 21, 10), None),
    ],
)
def test_an_aim_is_reached_at_its_edge_and_missed_beyond_it(row: Row, reached: bool | None) -> None:
    assert row.reached is reached


def test_a_run_that_is_cut_short_leaves_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_report, "RESULTS", tmp_path / "results")
    results = Results(quick=True)
    results.add([Row("facts until durable", "kafka", "/s", 10.0, 20.0, at_least=15.0)])
    head, row = (json.loads(line) for line in results.path.read_text("utf-8").splitlines())
    assert head["quick"] is True
    assert (row["what"], row["ratio"], row["aim"], row["reached"]) == ("facts until durable", 0.5, ">= 15", False)
    assert results.table().splitlines()[1].split()[-3:] == [">=", "15", "NO"]
