"""What can go wrong: with the whole import (a sentence for a person), or with one row (a reason in the rejected file)."""

from __future__ import annotations

from difflib import get_close_matches


class RefusedError(Exception):
    """The import cannot be, or cannot go on; the message is a sentence that says what to do."""

    exit_code = 1


class UsedWrongly(RefusedError):
    """The command was given what it cannot take: no such file, a folder, a name that is none."""

    exit_code = 2


class MappingWrong(RefusedError):
    """The mapping is wrong at one place. `place` is where: `[[event]] 2, time`."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
        self.place = place
        self.problem = problem


class Stopped(RefusedError):
    """Somebody pressed Ctrl-C. What was recorded stays; the same command goes on from there."""


class RowError(Exception):
    """One row cannot be used; the message is the reason that goes to the rejected file.

    It may quote the row, so it is personal data: never log it.
    """


def excerpt(text: str, limit: int = 60) -> str:
    """A cell as a reason quotes it: in quotes, without line ends, not longer than a person reads."""
    return repr(text if len(text) <= limit else text[:limit] + "…")


def nearest(word: str, known: list[str]) -> str:
    """`; did you mean 'X'?` where a known word is near, else nothing."""
    folded = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[found[0]]!r}?" if found else ""
