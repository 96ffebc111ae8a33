"""JSON values from outside into our dataclasses, `__init__` and all: what is wrong is said in a sentence that names the place.

The other half of `stored.py`: here nothing is passed over and nothing is guessed.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.decider import DomainError
from infra.codec.stored import item_of_tuple, split_optional

_decimal = re.compile(r"[+-]?[0-9]{1,60}(\.[0-9]{1,60})?").fullmatch
_uuid = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch

Check = Callable[[Any, str], Any]
"""(value, where) to the value in our type; raises DomainError."""


class Malformed(DomainError):
    """Data that does not fit its type; the message names the place and says what belongs there."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Plan:
    """How one dataclass is read: by JSON name (the field's name, its check), and the names that must be there."""

    fields: dict[str, tuple[str, Check]]
    required: tuple[str, ...]


_plans: dict[type, _Plan] = {}


def parse(cls: type, data: Any, where: str = "data") -> Any:
    """The dataclass that this JSON object stands for. Raises DomainError."""
    if type(data) is not dict:
        raise Malformed(f"{where} must be a JSON object.")
    plan = _plans.get(cls) or _plan(cls)
    values = {}
    for name, value in data.items():
        if name not in plan.fields:
            raise Malformed(f"{where} has no field {name!r}; there are {', '.join(sorted(plan.fields))}.")
        if value is not None:
            field, check = plan.fields[name]
            values[field] = check(value, f"{where}.{name}")
    for name in plan.required:
        if plan.fields[name][0] not in values:
            raise Malformed(f"{where}.{name} is missing.")
    try:
        return cls(**values)
    except DomainError as error:
        raise Malformed(f"{where}: {error}") from error


def _plan(cls: type) -> _Plan:
    """Made once a class: an import reads millions of lines."""
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)
    _plans[cls] = _Plan(
        {field.name.rstrip("_"): (field.name, _check(hints[field.name])) for field in fields},
        tuple(field.name.rstrip("_") for field in fields if field.default is field.default_factory is dataclasses.MISSING),
    )
    return _plans[cls]


def _check(annotation: Any) -> Check:
    annotation = split_optional(annotation)[1]
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    item = item_of_tuple(annotation)
    if item is not None:
        return _list_of(_check(item))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _choice_of(annotation)
    return lambda value, where: parse(annotation, value, where)


def _list_of(check: Check) -> Check:
    def read(value: Any, where: str) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Malformed(f"{where} must be a list.")
        return tuple([check(one, f"{where}[{number}]") for number, one in enumerate(value)])

    return read


def _choice_of(kind: type[StrEnum]) -> Check:
    def read(value: Any, where: str) -> StrEnum:
        try:
            return kind(value)
        except ValueError as error:
            raise Malformed(f"{where} must be one of {', '.join(kind)}.") from error

    return read


def _exact(kind: type, word: str) -> Check:
    def check(value: Any, where: str) -> Any:
        if type(value) is not kind:
            raise Malformed(f"{where} must be {word}.")
        return value

    return check


def _read_decimal(value: Any, where: str) -> Decimal:
    if type(value) is int:
        return Decimal(value)
    if type(value) is not str or not _decimal(value):
        raise Malformed(f'{where} must be a decimal number as text, such as "12.30".')
    return Decimal(value)


def _read_date(value: Any, where: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise Malformed(f"{where} must be a date such as 2026-11-22.") from error


def _read_instant(value: Any, where: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise Malformed(f"{where} must be a time with its offset, such as 2026-11-22T10:00:00+02:00.") from error
    if at.tzinfo is None:
        raise Malformed(f"{where} must say its offset, such as 2026-11-22T10:00:00+02:00.")
    try:
        at.astimezone(UTC)
    except OverflowError as error:
        raise Malformed(f"{where} must lie within the years 1 to 9999.") from error
    return at


def _read_integer(value: Any, where: str) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise Malformed(f"{where} must be a whole number of at most 64 bits.")
    return value


def _read_uuid(value: Any, where: str) -> UUID:
    if type(value) is not str or not _uuid(value):
        raise Malformed(f"{where} must be an id of ours (a UUID).")
    return UUID(value)


_SCALARS: dict[Any, Check] = {
    str: _exact(str, "text"),
    int: _read_integer,
    bool: _exact(bool, "true or false"),
    Decimal: _read_decimal,
    date: _read_date,
    datetime: _read_instant,
    UUID: _read_uuid,
}
