"""JSON values from outside into our dataclasses, `__init__` and all: what is wrong is said in a sentence that names the place.

The other half of `stored.py`: here nothing is passed over and nothing is guessed.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.decider import DomainError
from infra.codec.stored import item_of_tuple, split_optional

_decimal = re.compile(r"[+-]?[0-9]{1,60}(\.[0-9]{1,60})?").fullmatch
_hints: dict[type, dict[str, Any]] = {}


class Malformed(DomainError):
    """Data that does not fit its type; the message names the place and says what belongs there."""


def parse(cls: type, data: Any, where: str = "data") -> Any:
    """The dataclass that this JSON object stands for. Raises DomainError."""
    if type(data) is not dict:
        raise Malformed(f"{where} must be a JSON object.")
    hints = _hints.get(cls)
    if hints is None:
        hints = _hints[cls] = typing.get_type_hints(cls)
    fields = {field.name.rstrip("_"): field for field in dataclasses.fields(cls)}
    unknown = sorted(set(data) - set(fields))
    if unknown:
        raise Malformed(f"{where} has no field {unknown[0]!r}; there are {', '.join(sorted(fields))}.")
    values = {}
    for name, field in fields.items():
        value = data.get(name)
        if value is not None:
            values[field.name] = _value(hints[field.name], value, f"{where}.{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise Malformed(f"{where}.{name} is missing.")
    try:
        return cls(**values)
    except DomainError as error:
        raise Malformed(f"{where}: {error}") from error


def _value(annotation: Any, value: Any, where: str) -> Any:
    annotation = split_optional(annotation)[1]
    item = item_of_tuple(annotation)
    if item is not None:
        if type(value) is not list:
            raise Malformed(f"{where} must be a list.")
        return tuple(_value(item, one, f"{where}[{number}]") for number, one in enumerate(value))
    if annotation in _SCALARS:
        return _SCALARS[annotation](value, where)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _choice(annotation, value, where)
    return parse(annotation, value, where)


def _choice(annotation: type[StrEnum], value: Any, where: str) -> StrEnum:
    try:
        return annotation(value)
    except ValueError as error:
        raise Malformed(f"{where} must be one of {', '.join(annotation)}.") from error


def _exact(kind: type, word: str) -> Any:
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
    return at


def _read_uuid(value: Any, where: str) -> UUID:
    try:
        return UUID(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"{where} must be an id of ours (a UUID).") from error


_SCALARS: dict[Any, Any] = {
    str: _exact(str, "text"),
    int: _exact(int, "a whole number"),
    bool: _exact(bool, "true or false"),
    Decimal: _read_decimal,
    date: _read_date,
    datetime: _read_instant,
    UUID: _read_uuid,
}
