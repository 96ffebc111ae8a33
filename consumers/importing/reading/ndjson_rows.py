"""Rows of NDJSON: one JSON object a line. Columns are paths (`customer.city`, `phones.0`); numbers stay exact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from consumers.importing.errors import RowError, nearest
from consumers.importing.mapping.model import FileForm, Mapping
from consumers.importing.reading.rows import Layout, Row
from consumers.importing.reading.text import TextFile, flaw, printable

LARGEST_EXPONENT = 100
"""A number with more zeros than that is no number of anybody's business."""

_NAMES_REMEMBERED = 1_000


class _Number(str):
    """A JSON number as it is written, told from a text."""

    __slots__ = ()


class NdjsonRows:
    """The rows of one file. Cell 0 is the line as it stands; the mapping's columns follow in the order of their slots."""

    def __init__(self, file: TextFile, form: FileForm, mapping: Mapping, decimal: str) -> None:
        self._file = file
        self._form = form
        self._mapping = mapping
        self._decimal = decimal
        self._paths = mapping.columns.names
        self._met = [path in mapping.form.optional for path in self._paths]
        self._names: dict[str, None] = {}
        self._rows = 0
        self.layout = Layout(tuple(range(1, len(self._paths) + 1)), ("row",), 0, 1)

    def __iter__(self) -> Iterator[Row]:
        for number, line in enumerate(self._file.lines(), 1):
            if not line.strip():
                continue
            problem = flaw(line, self._form.encoding)
            raw = printable(line.replace("\0", "")).strip()
            if problem:
                yield self._bad(number, raw, problem)
                continue
            try:
                yield from self._unfolded(number, raw)
            except RowError as error:
                yield self._bad(number, raw, str(error))

    def _bad(self, number: int, raw: str, reason: str) -> Row:
        return Row(number, [raw, *[None] * len(self._paths)], reason, len(raw))

    def unmet(self) -> str | None:
        """The first column of the mapping that no row of the file had."""
        if not self._rows or all(self._met):
            return None
        path = self._paths[self._met.index(False)]
        place = self._mapping.columns.places[path]
        near = nearest(path, list(self._names)) or f"; there are {', '.join(list(self._names)[:30])}."
        return f"{self._mapping.file_name}, {place}: no row of {self._file.path} has {path!r}{near}"

    def _unfolded(self, number: int, raw: str) -> Iterator[Row]:
        document = _parsed(raw)
        self._rows += 1
        if len(self._names) < _NAMES_REMEMBERED:
            self._names.update(dict.fromkeys(_names(document)))
        for place, member in enumerate(self._members(document)):
            try:
                cells = [self._cell(member, slot, path) for slot, path in enumerate(self._paths)]
            except RowError as error:
                yield self._bad(number, raw, str(error))
            else:
                yield Row(number, [raw if place == 0 else "", *cells], None, len(raw))

    def _members(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        """The document, once for each member of the list that `unfold` names, with that member in the list's place."""
        unfold = self._form.unfold
        if unfold is None:
            return [document]
        members = document.get(unfold)
        if members is None:
            return [document]
        if not isinstance(members, list):
            raise RowError(f"{unfold!r} is no list, so it cannot be unfolded")
        return [{**document, unfold: member} for member in members] or [{**document, unfold: None}]

    def _cell(self, document: dict[str, Any], slot: int, path: str) -> str | None:
        found, value = _look_up(document, path)
        self._met[slot] = self._met[slot] or found
        if value is None:
            return None
        if isinstance(value, _Number):
            return _plain(value).replace(".", self._decimal)
        if isinstance(value, str):
            return _text(value, path)
        if isinstance(value, bool):
            return "true" if value else "false"
        raise RowError(f"column {path} holds {'a list' if isinstance(value, list) else 'an object'}, not one value")


def _parsed(raw: str) -> dict[str, Any]:
    try:
        document = json.loads(raw, parse_float=_Number, parse_int=_Number, parse_constant=_no_number)
    except RecursionError:
        raise RowError("the line is nested too deeply") from None
    except ValueError as error:
        raise RowError(f"the line is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise RowError("the line is JSON, but no object in braces")
    return document


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _text(value: str, path: str) -> str:
    if value.isascii():
        if "\0" in value:
            raise RowError(f"column {path} holds a NUL, which no text can")
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RowError(f"column {path} holds half of a surrogate pair, which no text can") from None
    if "\0" in value:
        raise RowError(f"column {path} holds a NUL, which no text can")
    return value


def _plain(number: str) -> str:
    """Without an exponent; exact."""
    if "e" not in number and "E" not in number:
        return str(number)
    exact = Decimal(number)
    if abs(exact.adjusted()) > LARGEST_EXPONENT:
        raise RowError(f"{number} is no number that anybody counts with")
    return format(exact, "f")


def _look_up(value: Any, path: str) -> tuple[bool, Any]:
    """Whether the path is there, and what is at its end. A key that has dots itself is found before it is cut."""
    if isinstance(value, list):
        head, _, rest = path.partition(".")
        if not head.isdecimal() or int(head) >= len(value):
            return False, None
        return _look_up(value[int(head)], rest) if rest else (True, value[int(head)])
    if not isinstance(value, dict):
        return False, None
    if path in value:
        return True, value[path]
    cut = path.find(".")
    while cut >= 0:
        if path[:cut] in value:
            return _look_up(value[path[:cut]], path[cut + 1 :])
        cut = path.find(".", cut + 1)
    return False, None


def _names(value: Any, prefix: str = "", depth: int = 4) -> list[str]:
    """The paths of a document, to suggest one."""
    items = value.items() if isinstance(value, dict) else ()
    names = []
    for key, inner in items:
        names.append(prefix + key)
        if depth and isinstance(inner, dict):
            names += _names(inner, f"{prefix}{key}.", depth - 1)
        elif depth and isinstance(inner, list) and inner:
            names += _names(inner[0], f"{prefix}{key}.", depth - 1)
    return names
