"""Every bench runs, on real servers, with a few hundred events: whether it runs, not how fast."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import WITHOUT_KAFKA

ROOT = Path(__file__).parents[2]
BENCHES = {
    ("crm", "--log", "embedded"): ("facts until indexed", "command, 8 writers, p50", "screen pop, 1 at once", "rebuild of ledger"),
    ("crm", "--log", "kafka"): ("facts until indexed", "command, personal field, 1 writer, p50", "import beside commands, until indexed"),
    ("log",): ("append and wait", "append in bulk", "read"),
}


def test_this_table_names_every_bench() -> None:
    assert {words[0] for words in BENCHES} == {path.stem for path in (ROOT / "bench").glob("[a-z]*.py")}


@pytest.mark.parametrize("words", [pytest.param(words, marks=() if "embedded" in words else pytest.mark.kafka) for words in BENCHES])
def test_a_bench_prints_its_figures(words: tuple[str, ...]) -> None:
    if "embedded" not in words and os.environ.get(WITHOUT_KAFKA) == "1":
        pytest.skip(f"{WITHOUT_KAFKA}=1: this bench was not tried")
    ended = subprocess.run(
        [sys.executable, "-m", f"bench.{words[0]}", *words[1:], "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert [figure for figure in BENCHES[words] if figure not in ended.stdout] == []
