"""What reading answers: rows, good or bad, each with the physical line on which it begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

NOWHERE = 1_000_000
"""The slot of a column that a file lacks and may lack: no row has so many cells."""


class Row(NamedTuple):
    """`cells` are all cells of the row as they stand, or as far as they could be read; `flaw` is why it cannot be used, or None.

    `size` is in characters, roughly: what it takes to keep the row.
    """

    line: int
    cells: list[str | None]
    flaw: str | None
    size: int


@dataclass(frozen=True)
class Layout:
    """Where the mapping's columns are in `Row.cells`, and which cells the rejected file shows under which names."""

    slots: tuple[int, ...]
    shown_names: tuple[str, ...]
    shown_from: int = 0
    shown_to: int | None = None


class Rows(Protocol):
    """The rows of one file. The layout is known before the first row."""

    @property
    def layout(self) -> Layout: ...

    def __iter__(self) -> Iterator[Row]: ...

    def unmet(self) -> str | None:
        """A column that the mapping uses and that no row had, as the rest of a sentence; None if all were met."""
        ...
