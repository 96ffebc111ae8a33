"""`[[event]]`: which rows become which fact, and the value of each of its fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from consumers.importing.errors import RowError, excerpt, nearest
from consumers.importing.mapping.catalogue import FIELDS, LINE_FIELDS, WITH_CUSTOMER, WITH_LINES, FieldKind
from consumers.importing.mapping.columns import Cells
from consumers.importing.mapping.conditions import compile_condition
from consumers.importing.mapping.context import Context
from consumers.importing.mapping.customer import reference_value
from consumers.importing.mapping.kinds import Compound, Kind
from consumers.importing.mapping.model import CustomerRule, EventRule
from consumers.importing.mapping.table import Table
from consumers.importing.mapping.values import Value, compile_value
from domain.currency import require_currency
from domain.value import InvalidValue

Fields = tuple[tuple[str, Value], ...]


def load_event(table: Table, context: Context, customer: CustomerRule | None, recordable: Collection[str]) -> EventRule:
    """One section, compiled. Raises MappingWrong."""
    name = _type(table, recordable)
    when = table.table("when")
    currency = _currency(table, context)
    data = _fields(_inner(table, "data"), FIELDS[name], context, currency, name)
    if customer and name in WITH_CUSTOMER:
        data = (("customer", reference_value(customer, table.at("customer"))), *data)
    rule = EventRule(
        place=table.place,
        type=name,
        when=compile_condition(when, context, compile_value) if when else None,
        also=table.flag("also"),
        subject=_needed(table, "subject", Kind.TEXT, context),
        id=compile_value(inner, Kind.TEXT, context) if (inner := table.table("id")) else None,
        time=_needed(table, "time", Kind.TIME, context),
        data=data,
        lines=_lines(table, name, context, currency),
    )
    table.close()
    return rule


def _type(table: Table, recordable: Collection[str]) -> str:
    name = table.needed_text("type")
    can = ", ".join(sorted(recordable))
    if name not in FIELDS:
        raise table.wrong(f"{name!r} is no type of event{nearest(name, list(FIELDS)) or '.'} What can be imported is {can}.", "type")
    if name not in recordable:
        raise table.wrong(f"{name} cannot be imported yet; what can is {can}.", "type")
    return name


def _needed(table: Table, key: str, kind: Kind, context: Context) -> Value:
    inner = table.table(key)
    if inner is None:
        raise table.wrong(f'is missing; add {key} = {{ column = "…" }}.', key)
    return compile_value(inner, kind, context)


def _inner(table: Table, key: str) -> Table:
    """`[event.data]` or `[event.lines]`; an empty one where it is absent."""
    return table.table(key) or Table({}, table.at(key))


def _lines(table: Table, name: str, context: Context, currency: Value | None) -> Fields | None:
    if "lines" not in table:
        return None
    if name not in WITH_LINES:
        raise table.wrong(f"{name} has no lines; leave it out.", "lines")
    fields = _fields(_inner(table, "lines"), LINE_FIELDS, context, currency, f"a line of {name}")
    if not fields:
        raise table.wrong(f"has no field; add some of {', '.join(LINE_FIELDS)}.", "lines")
    return fields


def _fields(table: Table, kinds: Mapping[str, FieldKind], context: Context, currency: Value | None, owner: str) -> Fields:
    fields = []
    for name in table.raw:
        if name not in kinds:
            raise table.wrong(f"{owner} has no such field{nearest(name, list(kinds)) or '.'} Its fields are {', '.join(kinds)}.", name)
        fields.append((name, _field(table, name, kinds[name], context, currency)))
    return tuple(fields)


def _field(table: Table, name: str, kind: FieldKind, context: Context, currency: Value | None) -> Value:
    match kind:
        case Compound.MONEY:
            return _money(_only_table(table, name), context, currency)
        case Compound.TEXTS:
            return _texts(table, name, context)
        case _:
            return compile_value(_only_table(table, name), kind, context)


def _only_table(table: Table, name: str) -> Table:
    inner = table.table(name)
    if inner is None:
        raise table.wrong('must be a value, such as { column = "…" }.', name)
    return inner


def _currency(table: Table, context: Context) -> Value | None:
    """A constant is checked at once, what comes from a column row by row, when the fact is checked."""
    inner = table.table("currency")
    if inner is None:
        return None
    value = compile_value(inner, Kind.TEXT, context)
    if not value.slots:
        try:
            require_currency(value.read(()) or "")
        except InvalidValue as error:
            raise inner.wrong(str(error)) from None
    return value


def _money(table: Table, context: Context, shared: Value | None) -> Value:
    """`{"amount", "currency"}`, None where the amount is empty."""
    currency = _currency(table, context) or shared
    amount = compile_value(table, Kind.NUMBER, context, ("currency",))
    if currency is None:
        raise table.wrong('is money and needs a currency; add currency = { value = "EUR" } to the [[event]], or to this value.')
    get_amount, get_currency = amount.read, currency.read
    constant: str | None = None if currency.slots else currency.read(())

    def read(cells: Cells) -> dict[str, str] | None:
        number = get_amount(cells)
        if number is None:
            return None
        code = constant or get_currency(cells)
        if code is None:
            raise RowError(f"the amount {excerpt(number)} has no currency")
        return {"amount": number, "currency": code}

    return Value(table.place, (*amount.slots, *currency.slots), read)


def _texts(table: Table, name: str, context: Context) -> Value:
    """A list of values, or one value with `split`."""
    if isinstance(table.raw[name], list):
        parts = [compile_value(inner, Kind.TEXT, context) for inner in table.tables(name) or []]
        slots = tuple(slot for part in parts for slot in part.slots)
        return Value(table.at(name), slots, _collector(parts))
    inner = _only_table(table, name)
    separator = inner.text("split")
    if not separator:
        raise inner.wrong('is a list; write [ { column = "…" } ], or add split = ";" to this value.')
    value = compile_value(inner, Kind.TEXT, context, ("split",))

    def read(cells: Cells) -> list[str] | None:
        text = value.read(cells)
        return None if text is None else [part.strip() for part in text.split(separator) if part.strip()] or None

    return Value(table.at(name), value.slots, read)


def _collector(parts: list[Value]) -> Callable[[Cells], Any]:
    def read(cells: Cells) -> list[str] | None:
        return [text for part in parts if (text := part.read(cells)) is not None] or None

    return read
