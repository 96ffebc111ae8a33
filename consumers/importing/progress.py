"""How far a long piece of work is: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self, TextIO

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """One phase. `total` None: nobody knows. Bytes are shown in MB, rows as they are."""

    def __init__(self, out: TextIO, what: str, unit: str, total: int | None) -> None:
        self._out = out
        self._what = what
        self._unit = unit
        self._total = total
        self._done = 0
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
        self._bar = tqdm(total=total, desc=what, unit=unit, unit_scale=True, file=out, leave=False) if out.isatty() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()
        elif kind is None:
            self._say(f"{self._what}: done, {self._amount(self._done)}")

    def reach(self, done: int) -> None:
        """So much of the total is done."""
        step, self._done = done - self._done, done
        if self._bar is not None:
            self._bar.update(step)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            part = f" of {self._amount(self._total)} ({min(100, 100 * done // self._total)} %)" if self._total else ""
            self._say(f"{self._what}: {self._amount(done)}{part}")

    def _say(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()

    def _amount(self, count: int) -> str:
        return f"{count / 1e6:,.1f} MB" if self._unit == "B" else f"{count:,} {self._unit}"
