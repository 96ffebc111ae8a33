"""The rejected file: every row that became no event, where it stands and why. It can be corrected and imported again."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from consumers.importing.errors import RefusedError, UsedWrongly
from consumers.importing.reading.csv_rows import OUR_COLUMNS, theirs
from consumers.importing.reading.open import REJECTED_SUFFIX
from consumers.importing.reading.rows import Layout
from consumers.importing.staging import StagedRow

LONGEST_CELL = 100_000
"""Characters of a cell that are kept: usual readers of CSV, ours too, stop at 131,072."""


class RejectedFile:
    """Written beside its place, readable by its owner alone, and moved there whole when the import is done."""

    def __init__(self, folder: Path) -> None:
        """Raises UsedWrongly at once where the folder cannot be written."""
        self._folder = folder
        try:
            handle, name = tempfile.mkstemp(prefix=".rejected-", suffix=".csv.part", dir=folder)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsedWrongly(
                f"The folder {folder} cannot be written ({reason}), and rejected rows go there; run the command in another folder."
            ) from None
        self._part = Path(name)
        self._file = os.fdopen(handle, "w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self._names: list[str] = []
        self._files: Sequence[tuple[str, Layout]] = ()
        self._last: tuple[int, int] | None = None
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(OSError):  # what a full disk could not take goes anyway
            self._file.close()
        self._part.unlink(missing_ok=True)

    def begin(self, files: Sequence[tuple[str, Layout]]) -> None:
        """The names and layouts of the files, before the first row. Columns are matched by name across files."""
        self._files = files
        names = dict.fromkeys(name for _, layout in files for name in layout.shown_names)
        self._names = list(names)
        self._put([*OUR_COLUMNS, *map(theirs, self._names)])

    def add(self, rows: Sequence[StagedRow], reasons: Mapping[int, str]) -> None:
        """All rows of one event: those with a reason of their own, and the others because of the first of these."""
        first = min(reasons)
        culprit = rows[first]
        lines_said: dict[tuple[int, int], str] = {}
        for place, row in enumerate(rows):
            reason = reasons.get(place)
            if reason is not None or (row.file, row.line) not in lines_said:
                lines_said[row.file, row.line] = (
                    reason or f"belongs to an event that was rejected because of {self.place(culprit, row.file)}"
                )
        for row in rows:
            reason = lines_said.pop((row.file, row.line), None)
            if reason is not None:
                self._write(row, reason)

    def place(self, row: StagedRow, file: int) -> str:
        """How a reason in this file points to a row."""
        return f"line {row.line}" if row.file == file else f"line {row.line} of {self._files[row.file][0]}"

    def _write(self, row: StagedRow, reason: str) -> None:
        name, layout = self._files[row.file]
        shown = [_shown(cell or "") for cell in row.cells[layout.shown_from : layout.shown_to]]
        if layout.shown_names != tuple(self._names):
            by_name = dict(zip(layout.shown_names, shown, strict=False))
            shown = [by_name.get(column, "") for column in self._names] + shown[len(layout.shown_names) :]
        self._put([name, row.line, reason, *shown])
        self.rows += 1

    def _put(self, cells: Sequence[object]) -> None:
        try:
            self._csv.writerow(cells)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> RefusedError:
        reason = error.strerror or str(error)
        return RefusedError(
            f"The rejected file in {self._folder} could not be written ({reason}); make room and run the same command again."
        )

    def finish(self, name: str) -> Path | None:
        """Move it to its place; None if no row was rejected: then an older one of the same name goes, for it holds no longer."""
        target = self._folder / f"{name}{REJECTED_SUFFIX}"
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            if self.rows:
                self._part.replace(target)
                return target
            target.unlink(missing_ok=True)
        except OSError as error:
            raise RefusedError(
                f"{target} could not be written ({error.strerror or error}); make room and run the same command again."
            ) from None
        return None


def _shown(cell: str) -> str:
    return cell if len(cell) <= LONGEST_CELL else cell[:LONGEST_CELL] + "…"
