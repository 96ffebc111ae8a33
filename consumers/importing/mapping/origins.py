"""Where a value's text comes from: exactly one of column, value, template, join, first_of, seconds_between."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter

from consumers.importing.errors import RowError
from consumers.importing.mapping.columns import Cells
from consumers.importing.mapping.context import Context
from consumers.importing.mapping.table import Scalar, Table
from consumers.importing.mapping.times import Moment

ORIGINS = ("column", "value", "template", "join", "first_of", "seconds_between")

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@dataclass(frozen=True)
class Origin:
    """`read` gives the text of one row, None if there is none; `tidy` makes of it what the steps get: trimmed, None if empty.

    `name` is what a reason calls it; constant: the same for all rows.
    """

    name: str
    slots: tuple[int, ...]
    read: Callable[[Cells], str | None]
    tidy: Callable[[str | None], str | None]
    constant: bool = False


Compile = Callable[[Table, str], tuple[tuple[int, ...], Callable[[Cells], object]]]
"""Compiles a value within a value; the second argument is `text` or `time`."""


def compile_origin(table: Table, context: Context, compile_inner: Compile) -> Origin:
    """The one origin that the table names."""
    named = [key for key in ORIGINS if key in table]
    if len(named) != 1:
        found = f"has {' and '.join(named)}" if named else "says nowhere where it comes from"
        raise table.wrong(f"{found}; write exactly one of {', '.join(ORIGINS)}.")
    match named[0]:
        case "column":
            return _column(table, context)
        case "value":
            constant = _written(table.scalar("value"), context)
            return Origin(f"the constant {constant!r}", (), lambda _cells: constant, _trimmed, constant=True)
        case "template":
            return _template(table, context)
        case "join":
            return _join(table, compile_inner)
        case "first_of":
            return _first_of(table, compile_inner)
        case _:
            return _seconds_between(table, compile_inner)


def _written(value: Scalar, context: Context) -> str:
    """A constant as the file would write it, so that one parser reads both."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f").replace(".", context.decimal) if isinstance(value, Decimal) else str(value)


def _trimmed(text: str | None) -> str | None:
    return (text.strip() or None) if text else None


def _column_slot(name: str, table: Table, key: str, context: Context) -> int:
    if not name.strip():
        raise table.wrong("names no column; write the column's name as in the file's header.", key)
    return context.columns.slot(name.strip(), table.at(key))


def _cell_tidier(context: Context) -> Callable[[str | None], str | None]:
    """Cells also have the file's markers for what is missing."""
    missing = context.missing

    def tidy(text: str | None) -> str | None:
        text = text.strip() if text else None
        return None if not text or text in missing else text

    return tidy


def _column(table: Table, context: Context) -> Origin:
    name = table.needed_text("column")
    slot = _column_slot(name, table, "column", context)
    return Origin(f"column {name}", (slot,), itemgetter(slot), _cell_tidier(context))


def _template(table: Table, context: Context) -> Origin:
    """Any column in it that is empty makes the whole empty: an id with a hole in it would be somebody else's."""
    template = table.needed_text("template")
    tidy = _cell_tidier(context)
    literals, slots = [""], []
    place = 0
    for found in _PIECE.finditer(template):
        literals[-1] += template[place : found.start()]
        place = found.end()
        if found[1] is not None:
            slots.append(_column_slot(found[1], table, "template", context))
            literals.append("")
        elif found[0] in {"{{", "}}"}:
            literals[-1] += found[0][0]
        else:
            raise table.wrong(f"{template!r} has a single {found[0]}; write {{Column}}, or {found[0] * 2} for the sign itself.", "template")
    literals[-1] += template[place:]
    if not slots:
        raise table.wrong(f'{template!r} names no column; write {{Column}} in it, or use value = "…".', "template")

    def read_template(cells: Cells) -> str | None:
        text = literals[0]
        for slot, literal in zip(slots, literals[1:], strict=True):
            part = tidy(cells[slot])
            if part is None:
                return None
            text += part + literal
        return text

    return Origin(f"the template {template}", tuple(slots), read_template, _trimmed)


def _inner(table: Table, key: str, kind: str, compile_inner: Compile) -> tuple[tuple[int, ...], list[Callable[[Cells], object]]]:
    parts = [compile_inner(part, kind) for part in table.tables(key) or []]
    if len(parts) < 2:
        raise table.wrong("must be a list of at least two values.", key)
    return tuple(slot for slots, _ in parts for slot in slots), [read for _, read in parts]


def _join(table: Table, compile_inner: Compile) -> Origin:
    """Empty parts are left out, with their separator."""
    slots, readers = _inner(table, "join", "text", compile_inner)
    separator = table.text("with")
    between = " " if separator is None else separator

    def read(cells: Cells) -> str | None:
        return between.join(str(part) for reader in readers if (part := reader(cells)) is not None) or None

    return Origin("the joined text", slots, read, _trimmed)


def _first_of(table: Table, compile_inner: Compile) -> Origin:
    slots, readers = _inner(table, "first_of", "text", compile_inner)

    def read(cells: Cells) -> str | None:
        return next((str(part) for reader in readers if (part := reader(cells)) is not None), None)

    return Origin("the first of several", slots, read, _trimmed)


def _seconds_between(table: Table, compile_inner: Compile) -> Origin:
    slots, readers = _inner(table, "seconds_between", "time", compile_inner)
    if len(readers) != 2:
        raise table.wrong("must be a list of two times, the beginning and the end.", "seconds_between")

    def read(cells: Cells) -> str | None:
        start, end = readers[0](cells), readers[1](cells)
        if not isinstance(start, Moment) or not isinstance(end, Moment):
            return None
        if end.at < start.at:
            raise RowError("the end lies before the beginning")
        return str(int((end.at - start.at).total_seconds()))

    return Origin("the seconds between two times", slots, read, _trimmed)
