"""A private SQLite file for what does not fit into memory. It has no name, so it is gone when the process is, however that ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from consumers.importing.errors import RefusedError

CACHE_KIB = 32_768
"""What of it is kept in memory."""


class Scratch:
    """Tables in the folder for temporary files (TMPDIR). Every error is a sentence. Not thread-safe."""

    def __init__(self, most_pages: int | None = None) -> None:
        """`most_pages` bounds its size (pages of 4 KiB); the tests fill it up."""
        # An empty name is SQLite's own private file: opened, unlinked at once, readable by nobody else.
        self._connection = sqlite3.connect("", isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}", "temp_store = FILE"):
            self._connection.execute(f"PRAGMA {setting}")
        if most_pages is not None:
            self._connection.execute(f"PRAGMA max_page_count = {most_pages}")
        self._connection.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    def execute(self, statement: str, parameters: Iterable[Any] = ()) -> int:
        """Run one statement; the number of rows that it changed."""
        with _in_a_sentence():
            return self._connection.execute(statement, tuple(parameters)).rowcount

    def insert(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run one statement for many rows."""
        with _in_a_sentence():
            self._connection.executemany(statement, rows)

    def one(self, query: str, parameters: Iterable[Any]) -> tuple[Any, ...] | None:
        """The first row of an answer, None if there is none."""
        with _in_a_sentence():
            found: tuple[Any, ...] | None = self._connection.execute(query, tuple(parameters)).fetchone()
            return found

    def all(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Every row of an answer, one at a time."""
        with _in_a_sentence():
            yield from self._connection.execute(query)


@contextmanager
def _in_a_sentence() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if "full" in str(error):
            problem = "The disk is full under the folder for temporary files"
        else:
            problem = f"The folder for temporary files cannot be used ({error})"
        raise RefusedError(f"{problem}; free some space, or set TMPDIR to a folder with room for twice the unpacked file.") from error
