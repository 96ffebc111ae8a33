"""Every row is read once and laid down, then taken up again event by event: in memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from consumers.importing.reading.rows import Layout, Row
from consumers.importing.scratch import Scratch

MOST_ROWS = 10_000
"""Rows of one event; beyond, the event is rejected: its record would be larger than a log takes."""

_ROWS_IN_HAND = 20_000
_CHARACTERS_IN_HAND = 16_000_000
_ROWS_IN_A_CHUNK = 500


class StagedRow(NamedTuple):
    """A row as it comes back. `slots` are the cells that the mapping uses, in its order; `cells` all of them."""

    file: int
    line: int
    flaw: str | None
    cells: list[str | None]
    slots: Sequence[str | None]


class Unit(NamedTuple):
    """The rows of one event, in the order of the file. An event with too many rows comes in pieces, of which one is `first`."""

    rows: list[StagedRow]
    too_many: bool = False
    first: bool = True


class Staging:
    """Takes rows with the key of their event (None: alone), and gives units in the order of their first rows."""

    def __init__(self, scratch: Scratch, layouts: Sequence[Layout]) -> None:
        """`layouts` may still grow: one for each file, in order."""
        self._scratch = scratch
        self._layouts = layouts
        self._hand: dict[str | None, list[list[Any]]] = {}
        self._rows_in_hand = self._characters_in_hand = 0
        self._chunk = 0
        self._readers: list[Callable[[list[str | None]], Sequence[str | None]]] = []
        self.rows = 0
        """Rows laid down."""
        scratch.execute(
            "CREATE TABLE chunk (number INTEGER PRIMARY KEY, first INTEGER NOT NULL, alone INTEGER NOT NULL, rows BLOB NOT NULL)"
        )
        scratch.execute("CREATE TABLE event (key TEXT PRIMARY KEY, first INTEGER NOT NULL) WITHOUT ROWID")

    def add(self, key: str | None, file: int, row: Row) -> None:
        """Lay one row down."""
        self.rows += 1
        self._hand.setdefault(key, []).append([file, row.line, row.flaw, row.cells])
        self._rows_in_hand += 1
        self._characters_in_hand += row.size
        if self._rows_in_hand >= _ROWS_IN_HAND or self._characters_in_hand >= _CHARACTERS_IN_HAND:
            self._lay_down()

    def units(self) -> Iterator[Unit]:
        """Everything laid down, event by event. Asked once, after the last `add`."""
        self._lay_down()
        self._readers = [slot_reader(layout) for layout in self._layouts]
        self._scratch.execute("CREATE INDEX chunk_by_event ON chunk (first, number)")
        event: int | None = None
        rows: list[StagedRow] = []
        first = True  # nothing of this event was given yet
        for of_event, alone, data in self._scratch.all("SELECT first, alone, rows FROM chunk ORDER BY first, number"):
            if of_event != event:
                if rows:
                    yield Unit(rows, not first, first)
                event, rows, first = of_event, [], True
            if alone:
                yield from (Unit([row]) for row in self._taken_up(data))
                continue
            rows += self._taken_up(data)
            if len(rows) > MOST_ROWS:
                yield Unit(rows, too_many=True, first=first)
                rows, first = [], False
        if rows:
            yield Unit(rows, not first, first)

    def _lay_down(self) -> None:
        chunks = []
        for key, rows in self._hand.items():
            first = self._first_chunk(key)
            for start in range(0, len(rows), _ROWS_IN_A_CHUNK):
                self._chunk += 1
                chunks.append((self._chunk, first or self._chunk, first is None, orjson.dumps(rows[start : start + _ROWS_IN_A_CHUNK])))
        self._scratch.insert("INSERT INTO chunk VALUES (?, ?, ?, ?)", chunks)
        self._hand = {}
        self._rows_in_hand = self._characters_in_hand = 0

    def _first_chunk(self, key: str | None) -> int | None:
        """The number of the chunk that this event began with; None for rows that stand alone."""
        if key is None:
            return None
        coming = self._chunk + 1
        if self._scratch.execute("INSERT OR IGNORE INTO event VALUES (?, ?)", (key, coming)) == 1:
            return coming
        found = self._scratch.one("SELECT first FROM event WHERE key = ?", (key,))
        return int(found[0]) if found else coming

    def _taken_up(self, data: bytes) -> list[StagedRow]:
        readers = self._readers
        return [StagedRow(file, line, flaw, cells, readers[file](cells)) for file, line, flaw, cells in orjson.loads(data)]


def slot_reader(layout: Layout) -> Callable[[list[str | None]], Sequence[str | None]]:
    """From all cells of a row to those of the slots; cells that a bad row lacks are None."""
    slots = layout.slots
    if len(slots) < 2:
        return lambda cells: [cells[slot] if slot < len(cells) else None for slot in slots]
    get = itemgetter(*slots)

    def read(cells: list[str | None]) -> Sequence[str | None]:
        try:
            found: tuple[str | None, ...] = get(cells)
        except IndexError:
            return [cells[slot] if slot < len(cells) else None for slot in slots]
        return found

    return read
