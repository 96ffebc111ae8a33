"""The columns that a mapping uses. Each gets a slot; a row hands over its cells in the order of the slots."""

from __future__ import annotations

from collections.abc import Sequence

Cells = Sequence[str | None]
"""The cells of one row that the mapping uses, by slot. Empty is "" or None."""


class Columns:
    """Gives every column that is used one slot, and remembers where it was used first."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        """Column name to the place in the mapping that used it first; in the order of the slots."""

    def slot(self, name: str, place: str) -> int:
        """The slot of a column."""
        self.places.setdefault(name, place)
        return list(self.places).index(name)

    @property
    def names(self) -> list[str]:
        """The columns used, in the order of their slots."""
        return list(self.places)
