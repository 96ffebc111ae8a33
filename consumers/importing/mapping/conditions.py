"""Conditions on one row: a value with one test, or `all`, `any`, `not` over conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from consumers.importing.mapping.columns import Cells
from consumers.importing.mapping.context import Context
from consumers.importing.mapping.kinds import Kind
from consumers.importing.mapping.patterns import bounded, compile_pattern
from consumers.importing.mapping.table import Table

if TYPE_CHECKING:
    from consumers.importing.mapping.values import Value

TESTS = ("is", "in", "starts_with", "ends_with", "contains", "matches", "empty", "above", "below", "before", "after")

CompileValue = Callable[..., "Value"]
"""`compile_value`, handed in: values may hold conditions, and conditions hold values."""


@dataclass(frozen=True)
class Condition:
    """Whether a row is meant. `holds` may raise RowError: a number that is to be compared is none."""

    slots: tuple[int, ...]
    holds: Callable[[Cells], bool]


def compile_condition(table: Table, context: Context, compile_value: CompileValue) -> Condition:
    """Compile one condition. Raises MappingWrong."""
    compound = [key for key in ("all", "any", "not") if key in table]
    if compound:
        return _compound(table, compound, context, compile_value)
    named = [key for key in TESTS if key in table]
    if len(named) != 1:
        found = f"has {' and '.join(named)}" if named else "has no test"
        raise table.wrong(f"{found}; write exactly one of {', '.join(TESTS)}, or all, any, not.")
    kind, test = _test(table, named[0], context, compile_value)
    value: Value = compile_value(table, kind, context, TESTS)
    return Condition(value.slots, lambda cells: test(value.read(cells)))


def _compound(table: Table, named: list[str], context: Context, compile_value: CompileValue) -> Condition:
    if len(named) > 1:
        raise table.wrong(f"has {' and '.join(named)}; put one inside the other.")
    if named == ["not"]:
        inner = table.table("not")
        table.close()
        if inner is None:
            raise table.wrong("must be a condition in braces.", "not")
        denied = compile_condition(inner, context, compile_value)
        return Condition(denied.slots, lambda cells: not denied.holds(cells))
    parts = [compile_condition(part, context, compile_value) for part in table.tables(named[0]) or []]
    table.close()
    if not parts:
        raise table.wrong("must be a list of conditions.", named[0])
    slots = tuple(slot for part in parts for slot in part.slots)
    if named == ["all"]:
        return Condition(slots, lambda cells: all(part.holds(cells) for part in parts))
    return Condition(slots, lambda cells: any(part.holds(cells) for part in parts))


def _test(table: Table, name: str, context: Context, compile_value: CompileValue) -> tuple[Any, Callable[[Any], bool]]:
    """The kind that the value is read as, and the test of what was read. An empty value passes no test but `empty`."""
    match name:
        case "empty":
            wanted = table.take("empty")
            if not isinstance(wanted, bool):
                raise table.wrong("must be true or false, without quotes.", "empty")
            return Kind.TEXT, lambda text: (text is None) is wanted
        case "above" | "below":
            limit = _limit(table, name)
            if name == "above":
                return Kind.NUMBER, lambda number: number is not None and Decimal(number) > limit
            return Kind.NUMBER, lambda number: number is not None and Decimal(number) < limit
        case "before" | "after":
            return Kind.TIME, _time_test(table, name, context, compile_value)
        case "matches":
            compiled = compile_pattern(table, name, table.needed_text(name))
            return Kind.TEXT, lambda text: text is not None and compiled.fullmatch(bounded(text)) is not None
        case _:
            return Kind.TEXT, _text_test(table, name)


def _limit(table: Table, name: str) -> Decimal:
    limit = table.take(name)
    if isinstance(limit, bool) or not isinstance(limit, (int, Decimal)):
        raise table.wrong("must be a number without quotes.", name)
    return Decimal(limit)


def _time_test(table: Table, name: str, context: Context, compile_value: CompileValue) -> Callable[[Any], bool]:
    """The limit is a constant in ISO 8601, in the file's zone where it has no offset."""
    limit_table = Table({"value": table.needed_text(name), "format": "iso"}, table.at(name))
    limit = compile_value(limit_table, Kind.TIME, context).read(())
    if name == "before":
        return lambda moment: moment is not None and moment.at < limit.at
    return lambda moment: moment is not None and moment.at > limit.at


def _text_test(table: Table, name: str) -> Callable[[Any], bool]:
    if name == "is":
        wanted = table.needed_text("is")
        return lambda text: text == wanted
    words = table.texts(name)
    if not words or not all(words):
        raise table.wrong('must be a list of texts that are not empty, such as ["a", "b"].', name)
    if name == "in":
        known = frozenset(words)
        return lambda text: text in known
    if name == "starts_with":
        return lambda text: text is not None and text.startswith(words)
    if name == "ends_with":
        return lambda text: text is not None and text.endswith(words)
    return lambda text: text is not None and any(word in text for word in words)
