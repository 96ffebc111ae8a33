"""The first half of an import: every file is read once, wholly, and its rows are laid down by event. Nothing is recorded yet."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from consumers.importing.counts import Counts
from consumers.importing.errors import RefusedError, RowError, UsedWrongly
from consumers.importing.mapping.model import Mapping
from consumers.importing.progress import Progress
from consumers.importing.reading.open import open_rows
from consumers.importing.reading.rows import Layout, Row
from consumers.importing.scratch import Scratch
from consumers.importing.staging import Staging, slot_reader

_ROWS_BETWEEN_LOOKS = 2_000


class Reading:
    """Files in, staged rows out; and the batch's name, which follows from what the files hold."""

    def __init__(self, scratch: Scratch, mapping: Mapping, counts: Counts) -> None:
        self._mapping = mapping
        self._counts = counts
        self._layouts: list[Layout] = []
        self._names: list[str] = []
        self._digests: dict[bytes, Path] = {}
        self.staging = Staging(scratch, self._layouts)

    @property
    def files(self) -> Sequence[tuple[str, Layout]]:
        """Names and layouts of the files read, by number."""
        return list(zip(self._names, self._layouts, strict=True))

    def batch_name(self, paths: Sequence[Path]) -> str:
        """The first file's stem and a fingerprint of all contents: the same files have the same name for ever."""
        stem = re.sub(r"[^A-Za-z0-9_]+", "-", paths[0].name.split(".")[0]).strip("-")[:60] or "import"
        together = hashlib.sha256(b"".join(sorted(self._digests)))
        return f"{stem}-{together.hexdigest()[:10]}"

    def read(self, path: Path, progress: Callable[[str, str, int | None], Progress], check: Callable[[], None]) -> None:
        """Read one file to its end. `check` is called now and then, and may raise. Raises RefusedError."""
        number = len(self._layouts)
        with open_rows(path, self._mapping) as (file, rows), progress(f"reading {path.name}", "B", file.size or None) as bar:
            self._names.append(path.name)
            self._layouts.append(rows.layout)
            slots = slot_reader(rows.layout)
            for count, row in enumerate(rows, 1):
                self._take(number, row, slots(row.cells))
                if count % _ROWS_BETWEEN_LOOKS == 0:
                    bar.reach(file.position)
                    check()
            unmet = rows.unmet()
            if unmet:
                raise RefusedError(unmet)
            bar.reach(file.position)
        twin = self._digests.setdefault(file.digest, path)
        if twin is not path:
            raise UsedWrongly(f"{path} holds the same as {twin}; give each file once.")

    def _take(self, number: int, row: Row, cells: Sequence[str | None]) -> None:
        key: str | None = None
        reason = row.flaw
        try:
            if reason is None:
                for skip in self._mapping.skips:
                    if skip.when.holds(cells):
                        self._counts.skipped += 1
                        self._counts.skips[skip.reason] += 1
                        return
                reason = next((rule.reason for rule in self._mapping.rejects if rule.when.holds(cells)), None)
        except RowError as error:
            reason = str(error)
        if self._mapping.grouping is not None:
            key, reason = self._key(cells, reason)
        self._counts.rows += 1
        self.staging.add(key, number, row if reason is row.flaw else row._replace(flaw=reason))

    def _key(self, cells: Sequence[str | None], reason: str | None) -> tuple[str | None, str | None]:
        """The event that the row belongs to, and why the row cannot be used: a row without an event cannot."""
        grouping = self._mapping.grouping
        if grouping is None:
            return None, reason
        try:
            key: str | None = grouping.by.read(cells)
        except RowError as error:
            return None, reason or str(error)
        return key, reason or (None if key is not None else "what the rows are grouped by is empty ([group], by)")
