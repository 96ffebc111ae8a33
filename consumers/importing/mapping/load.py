"""Reads a mapping file. Every mistake is one sentence: the mapping's name, the place in it, what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from decimal import Decimal
from pathlib import Path
from typing import Any

from consumers.importing.errors import MappingWrong, UsedWrongly
from consumers.importing.mapping.columns import Cells
from consumers.importing.mapping.conditions import compile_condition
from consumers.importing.mapping.context import Context
from consumers.importing.mapping.customer import load_customer
from consumers.importing.mapping.events import load_event
from consumers.importing.mapping.file import load_file
from consumers.importing.mapping.kinds import Kind
from consumers.importing.mapping.model import Differ, Grouping, Mapping, RowRule
from consumers.importing.mapping.table import Table
from consumers.importing.mapping.values import Value, compile_value
from domain.value import InvalidValue, require_line

DIFFER: dict[str, Differ] = {"first": "first", "last": "last", "reject": "reject"}
ORDERS = {"text": Kind.TEXT, "number": Kind.NUMBER, "time": Kind.TIME}


def load_mapping(path: Path, recordable: Collection[str]) -> Mapping:
    """The mapping in this file; `recordable` are the types of facts that can be recorded today.

    Raises MappingWrong; UsedWrongly when there is no such file.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8"
        raise UsedWrongly(f"The mapping {path} cannot be read: {reason}; name a TOML file.") from None
    try:
        return parse_mapping(text, path, recordable)
    except MappingWrong as error:
        raise MappingWrong("", f"{path.name}: {error}") from None


def parse_mapping(text: str, path: Path, recordable: Collection[str]) -> Mapping:
    """The same from the text of a mapping. Raises MappingWrong without the file's name."""
    try:
        raw = tomllib.loads(text, parse_float=_exact)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise MappingWrong("", f"this is no TOML: {error}.") from None
    top = Table(raw, "")
    source = top.needed_text("source")
    try:
        require_line(source, "The source", 512)
    except InvalidValue as error:
        raise top.wrong(str(error), "source") from None
    form, context = load_file(_section(top, "file"))
    skips = tuple(_row_rule(table, context, needs_reason=False) for table in _sections(top, "skip"))
    rejects = tuple(_row_rule(table, context, needs_reason=True) for table in _sections(top, "reject"))
    grouping = _grouping(_section(top, "group"), context) if "group" in top else None
    customer = load_customer(_section(top, "customer"), context) if "customer" in top else None
    events = tuple(load_event(table, context, customer, recordable) for table in _sections(top, "event"))
    top.close()
    if grouping and not events:
        raise MappingWrong("[group]", "groups the rows of events, but there is no [[event]]; leave it out.")
    if not events and not (customer and customer.capture):
        raise MappingWrong("", "there is nothing to import; add an [[event]], or a [customer.capture] to import customers alone.")
    if customer and customer.capture and customer.external_id is None:
        raise MappingWrong("[customer]", 'capturing needs an external_id; add external_id = { column = "…" }.')
    return Mapping(path.stem, path.name, source, form, context.columns, context.decimal, skips, rejects, grouping, customer, events)


def _exact(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > 50:
        raise MappingWrong("", f"{text} is no number that a mapping can use.")
    return number


def _section(top: Table, key: str) -> Table:
    """`[key]`; an empty one where it is absent."""
    raw: Any = top.take(key)
    if raw is None:
        return Table({}, f"[{key}]")
    if not isinstance(raw, dict):
        raise top.wrong(f"must be a section; write [{key}] on a line of its own and its keys under it.", key)
    return Table(raw, f"[{key}]")


def _sections(top: Table, key: str) -> list[Table]:
    raw: Any = top.take(key)
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        raise top.wrong(f"must be sections; write [[{key}]] on a line of its own and its keys under it.", key)
    return [Table(item, f"[[{key}]] {number}") for number, item in enumerate(raw, 1)]


def _row_rule(table: Table, context: Context, *, needs_reason: bool) -> RowRule:
    when = table.table("when")
    if when is None:
        raise table.wrong('is missing; add when = { column = "…", is = "…" }.', "when")
    reason = table.needed_text("reason") if needs_reason else table.text("reason")
    rule = RowRule(compile_condition(when, context, compile_value), reason or "no reason given")
    table.close()
    return rule


def _grouping(table: Table, context: Context) -> Grouping:
    by = _value(table, "by", Kind.TEXT, context)
    if by is None:
        raise table.wrong('is missing; add by = { column = "…" }, the column that the rows of one event share.', "by")
    order_table = table.table("order")
    order = None
    if order_table is not None:
        kind = ORDERS[order_table.choice("as", ORDERS) or "text"]
        order = _sortable(compile_value(order_table, kind, context, ("as",)), kind)
    word = table.choice("differ", DIFFER)
    table.close()
    return Grouping(by, order, DIFFER[word or "first"])


def _sortable(value: Value, kind: Kind) -> Value:
    """The same value as something that sorts: a number by its size, a time by the moment."""

    def read(cells: Cells) -> Any:
        found = value.read(cells)
        if found is None or kind is Kind.TEXT:
            return found
        return found.at if kind is Kind.TIME else Decimal(found)

    return Value(value.place, value.slots, read)


def _value(table: Table, key: str, kind: Kind, context: Context) -> Value | None:
    inner = table.table(key)
    return None if inner is None else compile_value(inner, kind, context)
