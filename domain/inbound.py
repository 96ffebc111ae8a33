"""A fact as it comes in: the shape of a CloudEvent, before its data is given a type. Never stored as it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.fact import Report, require_name
from domain.value import InvalidValue, require_storable

DEEPEST = 32
"""How deep data may be nested: far beyond any type in the contract, far below Python's own limit."""


@dataclass(frozen=True)
class InboundFact:
    """`source` + `subject` + `id` name the fact for ever; `time` is when it happened; `data` holds JSON values."""

    type: str
    source: str
    subject: str
    id: str
    time: datetime
    data: dict[str, Any]

    def __post_init__(self) -> None:
        require_name(self.type, "The type")
        require_name(self.source, "The source")
        require_name(self.subject, "The subject")
        require_name(self.id, "The id")
        require_moment(self.time)
        if type(self.data) is not dict:
            raise InvalidValue("The data is no JSON object; give one, with the fields of the fact's type.")
        _require_json(self.data, DEEPEST)

    def report(self, batch: str | None = None) -> Report:
        """The fact's names, as it keeps them; `batch` is the import that brings it."""
        return Report(self.source, self.subject, self.id, batch)


def require_moment(time: datetime) -> None:
    """A time with an offset, which is also a time in UTC (the first and last hours of the calendar are not). Raises InvalidValue."""
    if time.utcoffset() is None:
        raise InvalidValue("The time has no offset from UTC; give one, such as 2026-03-29T12:00:00+02:00.")
    try:
        time.astimezone(UTC)
    except OverflowError as error:
        raise InvalidValue("The time lies outside the years 1 to 9999; check it.") from error


def _require_json(value: Any, deeper: int) -> None:
    """Raises InvalidValue for what JSON or the log cannot hold. An import checks millions of values: the frequent types come first."""
    kind = type(value)
    if kind is str:
        require_storable(value, "The data")
    elif kind is dict:
        _require_deeper(deeper)
        for name, item in value.items():
            if type(name) is not str:
                raise InvalidValue("The data has a field whose name is no text; JSON has none such.")
            require_storable(name, "The data")
            _require_json(item, deeper - 1)
    elif kind is list:
        _require_deeper(deeper)
        for item in value:
            _require_json(item, deeper - 1)
    elif kind is float:
        if not math.isfinite(value):
            raise InvalidValue("The data holds a number that is not finite; leave it out.")
    elif value is not None and kind is not int and kind is not bool:
        raise InvalidValue("The data holds something that is no JSON value; give decimals and times as text.")


def _require_deeper(deeper: int) -> None:
    if deeper <= 0:
        raise InvalidValue(f"The data is nested more than {DEEPEST} deep; flatten it.")
