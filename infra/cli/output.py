"""How commands print: tables for people, one JSON object a line for machines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import orjson


def print_json(value: Any) -> None:
    """One object on one line; decimals and ids as text."""
    sys.stdout.write(orjson.dumps(value, default=str).decode() + "\n")


def print_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns under their heads; numbers to the right."""
    cells = [[str(value) for value in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(head), *cells]) for column in range(len(head))]
    right = [bool(rows) and all(isinstance(row[column], int | float) for row in rows) for column in range(len(head))]
    for line in [list(head), *cells]:
        print(
            "  ".join(
                value.rjust(width) if on_right else value.ljust(width) for value, width, on_right in zip(line, widths, right, strict=True)
            ).rstrip()
        )
