"""Rows of CSV and TSV. A quote that is never closed costs its own line, not the rest of the file."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from consumers.importing.errors import RefusedError, nearest
from consumers.importing.mapping.model import FileForm, Mapping
from consumers.importing.reading.rows import NOWHERE, Layout, Row
from consumers.importing.reading.text import TextFile, flaw, printable

OUR_COLUMNS = ("file", "line", "reason")
"""What a rejected file begins with; they are passed over when it is imported again."""

_THEIRS = " (of the file)"
"""What is put behind a column of the original that is called as one of ours."""


def theirs(name: str) -> str:
    """How a rejected file calls a column of the original."""
    return name + _THEIRS if name in OUR_COLUMNS else name


class _Feed:
    """Lines for csv.reader, which takes as many as a row has. What it took can be given back."""

    def __init__(self, lines: Iterator[str], encoding: str) -> None:
        self._lines = lines
        self._encoding = encoding
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.first = 1
        """The line on which the row begins that is being read."""
        self.flaw: str | None = None
        self.size = 0
        """Characters of what was taken."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        self.size += len(line)
        if self.flaw is None:
            self.flaw = flaw(line, self._encoding)
        return line.replace("\0", "") if self.flaw else line

    def accept(self) -> None:
        """The row is read: the next begins after it."""
        self.first += len(self.taken)
        self.taken = []
        self.flaw = None
        self.size = 0

    def give_back(self) -> None:
        """Only the first line of what was taken is the row; the others are read again."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


class CsvRows:
    """The rows of one file. Raises RefusedError at once if the header lacks a column that the mapping uses."""

    def __init__(self, file: TextFile, form: FileForm, delimiter: str, mapping: Mapping) -> None:
        self._file = file
        self._feed = _Feed(file.lines(), form.encoding)
        self._options: dict[str, Any] = {
            "delimiter": delimiter,
            "quotechar": form.quote or None,
            "quoting": csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
            "escapechar": form.escape,
            "strict": True,
        }
        self.header = self._header(form)
        self.layout = self._layout(mapping, mapping.form.optional)
        self._width = len(self.header)

    def __iter__(self) -> Iterator[Row]:
        width = self._width
        for row in self._records():
            if row.flaw is not None or len(row.cells) == width:
                yield row
            else:
                yield row._replace(flaw=f"the row has {_cells(len(row.cells))} where the header has {width}")

    def unmet(self) -> str | None:
        """A header tells at once, so nothing can be missing at the end."""
        return None

    def _records(self) -> Iterator[Row]:
        feed = self._feed
        while True:
            try:
                for cells in csv.reader(feed, **self._options):
                    if len(feed.taken) > 1 and len(cells) != self._width:
                        yield self._broken(
                            "the row runs over several lines and has not the header's number of cells; is a quote not closed?"
                        )
                        break
                    row = Row(feed.first, cells, feed.flaw, feed.size)  # type: ignore[arg-type]
                    feed.accept()
                    if row.flaw is not None:
                        yield row._replace(cells=[printable(cell) for cell in cells])
                    elif any(cells):
                        yield row
                else:
                    return
            except csv.Error as error:
                yield self._broken(_csv_reason(error))

    def _broken(self, reason: str) -> Row:
        """The first line of what was taken, as a bad row; the rest is read again."""
        self._feed.give_back()
        text = printable(self._feed.taken[0].replace("\0", "")).rstrip("\r\n") if self._feed.taken else ""
        row = Row(self._feed.first, self._roughly(text), self._feed.flaw or reason, len(text))
        self._feed.accept()
        return row

    def _roughly(self, text: str) -> list[str | None]:
        """The cells of a line whose quotes cannot be trusted: cut at the delimiter, so that its event may be known."""
        return list(text.split(self._options["delimiter"]))

    def _header(self, form: FileForm) -> list[str]:
        for _ in range(form.skip_lines):
            next(self._feed, None)
        self._feed.accept()
        if form.columns is not None:
            return list(form.columns)
        try:
            cells = next((cells for cells in csv.reader(self._feed, **self._options) if any(cells)), None)
        except csv.Error as error:
            raise RefusedError(f"{self._file.path}: the header (line {self._feed.first}) cannot be read: {_csv_reason(error)}.") from None
        if cells is None:
            raise RefusedError(f"{self._file.path} has no header; it should be on line {form.skip_lines + 1}.")
        if self._feed.flaw:
            raise RefusedError(f"{self._file.path}: the header cannot be read: {self._feed.flaw}.")
        self._feed.accept()
        return [cell.strip() for cell in cells]

    def _layout(self, mapping: Mapping, optional: frozenset[str]) -> Layout:
        skipped = len(OUR_COLUMNS) if tuple(self.header[:3]) == OUR_COLUMNS and self._file.name.endswith(".rejected.csv") else 0
        header = [name.removesuffix(_THEIRS) if skipped else name for name in self.header[skipped:]]
        slots = []
        for name, place in mapping.columns.places.items():
            if header.count(name) > 1:
                raise RefusedError(f"{self._file.path}: the header has the column {name!r} twice; rename one of them in the file.")
            if name not in header and name in optional:
                slots.append(NOWHERE)
                continue
            if name not in header:
                hint = nearest(name, header) or self._columns(header)
                raise RefusedError(f"{mapping.file_name}, {place}: {self._file.path} has no column {name!r}{hint}")
            slots.append(skipped + header.index(name))
        return Layout(tuple(slots), tuple(header), skipped)

    def _columns(self, header: Sequence[str]) -> str:
        if len(header) == 1:
            sign = next((sign for sign in (";", "\t", "|", ",") if sign in header[0]), None)
            if sign:
                return f"; its header is one single cell, so the delimiter is perhaps {sign!r} ([file] delimiter)."
        return f"; its columns are {', '.join(header)}."


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _csv_reason(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return "a quote is opened and not closed"
    if "field larger" in text:
        return "a cell is longer than 131,072 characters; is a quote not closed?"
    if "expected after" in text:
        return "something stands behind a closing quote; a quote within a cell must be doubled"
    if "new-line character" in text:
        return "a carriage return stands in the middle of the line, outside quotes"
    return text
