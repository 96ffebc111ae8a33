"""What was measured: a table for people, and one JSON line a figure in `bench/results/`."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
NUMBERS = {3, 4, 5}
PACKAGES = ("eventsourcing", "kafka-python", "psycopg2-binary", "orjson")


@dataclass(frozen=True)
class Row:
    """One figure: ours, the bare path's, their ratio (ours / bare), and what we aim at."""

    what: str
    log: str
    unit: str
    ours: float
    bare: float | None = None
    at_least: float | None = None
    """Aim for `ours`."""
    ratio_at_least: float | None = None
    ratio_at_most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return None if not self.bare else self.ours / self.bare

    @property
    def aim(self) -> str:
        """In words, or nothing."""
        if self.at_least is not None:
            return f">= {self.at_least:,.0f}"
        if self.ratio_at_least is not None:
            return f"ratio >= {self.ratio_at_least:g}"
        return "" if self.ratio_at_most is None else f"ratio <= {self.ratio_at_most:g}"

    @property
    def reached(self) -> bool | None:
        """Whether the aim was reached; None if there is none."""
        ratio = self.ratio or 0.0
        if self.at_least is not None:
            return self.ours >= self.at_least
        if self.ratio_at_least is not None:
            return ratio >= self.ratio_at_least
        return None if self.ratio_at_most is None else ratio <= self.ratio_at_most


def machine() -> list[str]:
    """What this was measured on, two lines."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        f"{os.cpu_count()} cores, {_processor()}, {memory:.0f} GB, {platform.system()}; load before: {load}",
        f"Python {platform.python_version()}, {packages}",
    ]


class Results:
    """All figures of a run: each is written down at once, so that a run that is cut short leaves what it has."""

    def __init__(self, quick: bool) -> None:
        self.machine = machine()
        self.rows: list[Row] = []
        RESULTS.mkdir(exist_ok=True)
        now = datetime.now(UTC)
        self.path = RESULTS / f"{now:%Y-%m-%dT%H-%M-%S}{'-quick' if quick else ''}.jsonl"
        self._write([{"at": now.isoformat(), "quick": quick, "machine": self.machine}])

    def add(self, rows: Iterable[Row]) -> None:
        """These, too."""
        rows = list(rows)
        self.rows += rows
        self._write([{**asdict(row), "ratio": row.ratio, "aim": row.aim, "reached": row.reached} for row in rows])

    def table(self) -> str:
        """Aligned, a line a figure."""
        lines = [("what", "log", "unit", "ours", "bare", "ratio", "aim", "reached", "note"), *map(_cells, self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(9)]
        return "\n".join(_aligned(line, widths) for line in lines)

    def _write(self, lines: list[dict[str, object]]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)


def _aligned(line: tuple[str, ...], widths: list[int]) -> str:
    cells = [cell.rjust(width) if n in NUMBERS else cell.ljust(width) for n, (cell, width) in enumerate(zip(line, widths, strict=True))]
    return "  ".join(cells).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    reached = {None: "", True: "yes", False: "NO"}[row.reached]
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return (row.what, row.log, row.unit, _number(row.ours), _number(row.bare), ratio, row.aim, reached, row.note)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
