"""Regular expressions that strangers' data runs through: compiled at load, bounded in the text they see."""

from __future__ import annotations

import re

from consumers.importing.errors import RowError
from consumers.importing.mapping.table import Table

LONGEST_TEXT = 1_000
"""Characters that a regular expression is run on; a longer cell makes the row rejected."""

_OPEN_REPEAT = re.compile(r"[*+]|\{[0-9]*,[0-9]*\}")


def compile_pattern(table: Table, key: str, pattern: str) -> re.Pattern[str]:
    """The pattern, refused if it is none or could take for ever on an unlucky text."""
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise table.wrong(f"{pattern!r} is no regular expression: {error}.", key) from None
    if _repeats_a_repeat(pattern):
        raise table.wrong(f"{pattern!r} repeats a group that has a repeat in it, which can take for ever; write it without.", key)
    return compiled


def bounded(text: str) -> str:
    """The text, if it is short enough for a regular expression. Raises RowError."""
    if len(text) > LONGEST_TEXT:
        raise RowError(f"has {len(text):,} characters; a regular expression is run on at most {LONGEST_TEXT:,}")
    return text


def _repeats_a_repeat(pattern: str) -> bool:
    """Whether a group with an open repeat in it is itself repeated openly, as in (a+)+."""
    bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern, flags=re.DOTALL)
    open_groups: list[bool] = []
    for place, character in enumerate(bare):
        if character == "(":
            open_groups.append(False)
        elif character == ")" and open_groups:
            repeats = open_groups.pop()
            repeated = _OPEN_REPEAT.match(bare, place + 1) is not None
            if repeats and repeated:
                return True
            if open_groups:
                open_groups[-1] = open_groups[-1] or repeats or repeated
        elif open_groups and _OPEN_REPEAT.match(bare, place):
            open_groups[-1] = True
    return False
