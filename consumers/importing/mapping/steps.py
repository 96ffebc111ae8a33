"""What is done to a text on its way, always in this order: missing, prefix and suffix, replace, case, map, default."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from consumers.importing.errors import RowError, excerpt
from consumers.importing.mapping.patterns import bounded, compile_pattern
from consumers.importing.mapping.table import Table

STEPS = ("missing", "remove_prefix", "remove_suffix", "replace", "case", "map", "unmapped", "default")

Step = Callable[[str], str | None]

_REFERENCE = re.compile(r"\\([1-9][0-9]?)|\\g<(\w+)>")


def compile_steps(table: Table) -> Callable[[str | None], str | None] | None:
    """One function for all steps of the table, None if it has none. It may raise RowError."""
    steps = [
        step for step in (_missing(table), _prefixes(table), _suffixes(table), *_replacements(table), _case(table), _map(table)) if step
    ]
    default = table.text("default")
    if not steps and default is None:
        return None

    def run(text: str | None) -> str | None:
        for step in steps:
            if not text:
                break
            text = step(text)
            text = text.strip() if text else None
        return text or default

    return run


def _missing(table: Table) -> Step | None:
    markers = table.texts("missing")
    if markers is None:
        return None
    known = frozenset(marker.strip() for marker in markers)
    return lambda text: None if text in known else text


def _prefixes(table: Table) -> Step | None:
    prefixes = table.texts("remove_prefix")
    if prefixes is None:
        return None

    def remove(text: str) -> str:
        found = next((prefix for prefix in prefixes if text.startswith(prefix)), "")
        return text[len(found) :]

    return remove


def _suffixes(table: Table) -> Step | None:
    suffixes = table.texts("remove_suffix")
    if suffixes is None:
        return None

    def remove(text: str) -> str:
        found = next((suffix for suffix in suffixes if text.endswith(suffix)), "")
        return text[: len(text) - len(found)]

    return remove


def _replacements(table: Table) -> list[Step]:
    pairs = table.take("replace")
    if pairs is None:
        return []
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and [type(part) for part in pair] == [str, str] for pair in pairs):
        raise table.wrong('must be a list of pairs, such as [["[^0-9]", ""]].', "replace")
    return [_replacement(table, pattern, replacement) for pattern, replacement in pairs]


def _replacement(table: Table, pattern: str, replacement: str) -> Step:
    compiled = compile_pattern(table, "replace", pattern)
    unknown = [found[0] for found in _REFERENCE.finditer(replacement) if not _refers(found, compiled)]
    try:
        re.sub("", _REFERENCE.sub("", replacement), "")
    except re.error as error:
        unknown.append(str(error))
    if unknown:
        raise table.wrong(f"the replacement {replacement!r} does not fit {pattern!r}: {unknown[0]}.", "replace")
    return lambda text: compiled.sub(replacement, bounded(text))


def _refers(found: re.Match[str], pattern: re.Pattern[str]) -> bool:
    """Whether a reference such as \\1 or \\g<name> is to a group that the pattern has."""
    name = found[1] or found[2]
    return int(name) <= pattern.groups if name.isdigit() else name in pattern.groupindex


def _case(table: Table) -> Step | None:
    match table.choice("case", ("upper", "lower")):
        case "upper":
            return str.upper
        case "lower":
            return str.lower
        case _:
            return None


def _map(table: Table) -> Step | None:
    unmapped = table.choice("unmapped", ("reject", "keep", "empty"))
    inner = table.table("map")
    if inner is None:
        if unmapped:
            raise table.wrong("says what to do with texts that are not in the map, but there is no map; add one.", "unmapped")
        return None
    words: dict[str, Any] = inner.raw
    if not words or not all(isinstance(word, str) for word in words.values()):
        raise table.wrong('must give a text for each text, such as { "EIRE" = "IE" }.', "map")

    def look_up(text: str) -> str | None:
        found = words.get(text)
        if found is None and unmapped in {None, "reject"}:
            raise RowError(f"{excerpt(text)} is not in the map")
        return text if found is None and unmapped == "keep" else found

    return look_up
