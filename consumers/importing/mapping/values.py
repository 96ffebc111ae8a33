"""A value of the mapping: an origin, steps, and the kind that its place asks for, compiled to one function over a row's cells."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal

from consumers.importing.errors import MappingWrong, RowError, excerpt
from consumers.importing.mapping.columns import Cells
from consumers.importing.mapping.conditions import Condition, compile_condition
from consumers.importing.mapping.context import Context
from consumers.importing.mapping.kinds import Kind
from consumers.importing.mapping.numbers import number_text, seconds, whole
from consumers.importing.mapping.origins import ORIGINS, Origin, compile_origin
from consumers.importing.mapping.steps import STEPS, compile_steps
from consumers.importing.mapping.table import Table
from consumers.importing.mapping.times import Moment, not_before, to_moment

REMEMBERED = 4096
"""Texts whose conversion is remembered, for each value: the same price and the same day stand in many rows."""

TRUE = frozenset({"true", "yes", "y", "t", "1"})
FALSE = frozenset({"false", "no", "n", "f", "0"})


@dataclass(frozen=True)
class Value:
    """`read` gives None where the row has nothing, and raises RowError. TIME gives a Moment, NUMBER a decimal as text,
    INTEGER and SECONDS an int, DATE and TEXT a str, BOOLEAN a bool; compound values give JSON."""

    place: str
    slots: tuple[int, ...]
    read: Callable[[Cells], Any]


def compile_value(table: Table, kind: Kind, context: Context, also_known: Collection[str] = ()) -> Value:
    """Compile one value and refuse unknown keys in its table, save those in `also_known`, which the caller has taken.

    A constant is converted at once, so that a wrong one is found before a row is read.
    """

    def inner(part: Table, inner_kind: str) -> tuple[tuple[int, ...], Callable[[Cells], object]]:
        value = compile_value(part, Kind(inner_kind), context)
        return value.slots, value.read

    origin = compile_origin(table, context, inner)
    steps = compile_steps(table)
    finish, more_slots = _ending(table, kind, context)
    table.close(also_known={*ORIGINS, *STEPS, "with", *also_known})
    read = _reader(origin, steps, finish)
    if origin.constant and not more_slots:
        try:
            constant = read(())
        except RowError as error:
            raise MappingWrong(table.place, f"{error}.") from None
        return Value(table.place, (), lambda _cells: constant)
    return Value(table.place, (*origin.slots, *more_slots), read)


@dataclass(frozen=True)
class _Ending:
    """What makes the kind of a text: `convert` alone, remembered by text; then `adapt`, which may look at the row again."""

    convert: Callable[[str], Any]
    adapt: Callable[[Any, Cells], Any] | None = None


def _reader(origin: Origin, steps: Callable[[str | None], str | None] | None, ending: _Ending) -> Callable[[Cells], Any]:
    """Millions of cells go through here: one look-up for a text that was met lately."""
    name, get, tidy, convert, adapt = origin.name, origin.read, origin.tidy, ending.convert, ending.adapt

    @lru_cache(maxsize=REMEMBERED)
    def through(text: str | None) -> Any:
        final = tidy(text)
        try:
            final = steps(final) if steps else final
            return None if final is None else convert(final)
        except RowError as error:
            raise RowError(f"{name}: {error}") from None

    if adapt is not None:
        return _adapted(name, lambda cells: through(get(cells)), adapt)
    if isinstance(get, itemgetter):  # one column: its cell, without a call for it
        slot = origin.slots[0]
        return lambda cells: through(cells[slot])
    return lambda cells: through(get(cells))


def _adapted(name: str, read: Callable[[Cells], Any], adapt: Callable[[Any, Cells], Any]) -> Callable[[Cells], Any]:
    def adapted(cells: Cells) -> Any:
        result = read(cells)
        if result is None:
            return None
        try:
            return adapt(result, cells)
        except RowError as error:
            raise RowError(f"{name}: {error}") from None

    return adapted


def _ending(table: Table, kind: Kind, context: Context) -> tuple[_Ending, tuple[int, ...]]:
    """The conversion for a kind, and the slots of the columns that it looks at besides."""
    match kind:
        case Kind.TEXT:
            return _Ending(_digest if table.flag("digest") else _same), ()
        case Kind.NUMBER | Kind.INTEGER:
            return _number(table, kind, context)
        case Kind.SECONDS:
            parse = context.parse_number
            return _Ending(lambda text: seconds(text, parse)), ()
        case Kind.BOOLEAN:
            return _Ending(_boolean), ()
        case Kind.DATE:
            days = context.times(table, day_only=True)
            return _Ending(lambda text: days.day(text).isoformat()), ()
        case Kind.TIME:
            return _time(table, context)


def _same(text: str) -> str:
    return text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _boolean(text: str) -> bool:
    word = text.casefold()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise RowError(f"{excerpt(text)} is neither true nor false (a map can make it so)")


def _number(table: Table, kind: Kind, context: Context) -> tuple[_Ending, tuple[int, ...]]:
    parse = context.parse_number
    turned = _negation(table, context)

    def convert(text: str) -> str | int:
        number = parse(text)
        return number_text(number) if kind is Kind.NUMBER else whole(number, text)

    def negate(number: str | int) -> str | int:
        if isinstance(number, int):
            return -number
        return number.removeprefix("-") if number.startswith("-") or not number.strip("0.") else f"-{number}"

    if turned is None:
        return _Ending(convert), ()
    if turned is True:
        return _Ending(lambda text: negate(convert(text))), ()
    return _Ending(convert, lambda number, cells: negate(number) if turned.holds(cells) else number), turned.slots


def _negation(table: Table, context: Context) -> Condition | Literal[True] | None:
    """`negate = true`, or a condition on the row; None where the number stays as it is."""
    if isinstance(table.take("negate"), dict):
        inner = table.table("negate")
        return compile_condition(inner, context, compile_value) if inner else None
    return True if table.flag("negate") else None


def _time(table: Table, context: Context) -> tuple[_Ending, tuple[int, ...]]:
    formats = context.times(table)
    beginning = table.table("not_before")
    if beginning is None:
        return _Ending(lambda text: to_moment(formats.local(text))), ()
    start = compile_value(beginning, Kind.TIME, context)

    def adapt(local: Any, cells: Cells) -> Moment:
        begun = start.read(cells)
        if begun is None:
            raise RowError("the time that it must not lie before is empty")
        return not_before(local, begun)

    return _Ending(formats.local, adapt), start.slots
