"""Dataclasses to JSON values and back, by their annotations, for what we stored ourselves.

Decoding runs no `__init__`: an old event must stay readable even when validation tightens. Unknown fields are passed over
(a newer writer's), missing ones read as their default. What comes from outside goes through `outside.py` instead.
Supported: str, int, bool, Decimal, date, datetime, UUID, StrEnum, frozen dataclasses, tuple[X, ...], X | None.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

Convert = Callable[[Any], Any]
MISSING = dataclasses.MISSING


class UnsupportedAnnotation(TypeError):
    """A field annotated with something that the log cannot hold; found when the class is first used, and by a test."""


class UnreadableData(ValueError):
    """Stored data that does not fit its class: the projection that minds parks the key."""


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field's name in JSON and its way back. None as a converter means: as it is."""

    name: str
    json_name: str
    decode: Convert | None
    missing: Any
    """What an absent field reads as; MISSING if it must be there."""
    personal: bool


_plans: dict[type, tuple[Field, ...]] = {}


def fields_of(cls: type) -> tuple[Field, ...]:
    """The plan for one dataclass, made once. Raises UnsupportedAnnotation."""
    plan = _plans.get(cls)
    if plan is None:
        hints = typing.get_type_hints(cls)
        plan = _plans[cls] = tuple(_field(field, hints[field.name]) for field in dataclasses.fields(cls))
    return plan


def _field(field: dataclasses.Field[Any], annotation: Any) -> Field:
    optional, inner = split_optional(annotation)
    missing = field.default if field.default_factory is MISSING else field.default_factory()
    if optional:
        if missing not in (MISSING, None):
            raise UnsupportedAnnotation(f"{field.name}: an optional field can only default to None, for None is not written")
        missing = None
    personal = bool(field.metadata.get("personal"))
    return Field(field.name, field.name.rstrip("_"), _decoder(inner), missing, personal)


def split_optional(annotation: Any) -> tuple[bool, Any]:
    """(is `X | None`, X). Raises UnsupportedAnnotation for any other union."""
    if typing.get_origin(annotation) not in (types.UnionType, typing.Union):
        return False, annotation
    inner = [part for part in typing.get_args(annotation) if part is not types.NoneType]
    if len(inner) != 1 or len(typing.get_args(annotation)) != 2:
        raise UnsupportedAnnotation(f"{annotation}: of unions only X | None can be stored")
    return True, inner[0]


def item_of_tuple(annotation: Any) -> Any:
    """X of tuple[X, ...], or None if it is something else."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return arguments[0]
    return None


_DECODERS: dict[Any, Convert | None] = {
    str: None,
    int: None,
    bool: None,
    Decimal: Decimal,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    UUID: UUID,
}


def _decoder(annotation: Any) -> Convert | None:
    if annotation in _DECODERS:
        return _DECODERS[annotation]
    item = item_of_tuple(annotation)
    if item is not None:
        inner = _decoder(item)
        return tuple if inner is None else lambda values: tuple(inner(value) for value in values)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return annotation
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        for field in dataclasses.fields(annotation):
            if field.name != field.name.strip("_"):
                raise UnsupportedAnnotation(
                    f"{annotation.__name__}.{field.name}: within another value, fields are written as they are named"
                )
        return _DataclassDecoder(annotation)
    raise UnsupportedAnnotation(f"{annotation} cannot be stored in an event")


class _DataclassDecoder:
    """Decodes one dataclass; its plan is made at first use, so that classes may contain themselves."""

    __slots__ = ("cls",)

    def __init__(self, cls: type) -> None:
        self.cls = cls

    def __call__(self, data: dict[str, Any]) -> Any:
        return decode(self.cls, data)


def encode(value: Any) -> dict[str, Any]:
    """A dataclass field by field, for `write_json`; None is not written. Raises UnsupportedAnnotation."""
    data: dict[str, Any] = {}
    for field in fields_of(type(value)):
        inner = getattr(value, field.name)
        if inner is not None:
            data[field.json_name] = inner
    return data


def write_json(value: Any, *, sort: bool = False) -> bytes:
    """JSON of what `encode` gave, and of everything within: decimals as text, instants with their offset."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z | (orjson.OPT_SORT_KEYS if sort else 0))


def _plain(value: Any) -> Any:
    """Decimals without exponent, the scale kept: 1E+2 is 100, 12.30 stays 12.30."""
    if isinstance(value, Decimal):
        return format(value, "f")
    raise UnsupportedAnnotation(f"{type(value).__name__} cannot be stored")


def decode(cls: type, data: dict[str, Any]) -> Any:
    """The dataclass that was stored. Raises UnreadableData, which never quotes the data: it may be personal."""
    compiled = _compiled.get(cls) or _compile(cls)
    try:
        return compiled(data)
    except UnreadableData:
        raise
    except KeyError as error:
        raise UnreadableData(f"{cls.__name__} cannot be read: {error} is missing") from None
    except (ValueError, TypeError, ArithmeticError, AttributeError) as error:
        raise UnreadableData(f"{cls.__name__} cannot be read ({type(error).__name__})") from None


_compiled: dict[type, Convert] = {}


def _compile(cls: type) -> Convert:
    """One function a class, written out as `dataclasses` does: a rebuild decodes millions of them."""
    lines, names = ["def read(data):", "    made = new(cls)", "    values = made.__dict__"], {"new": object.__new__, "cls": cls}
    for number, field in enumerate(fields_of(cls)):
        names |= {f"convert{number}": field.decode, f"missing{number}": field.missing}
        value = "value" if field.decode is None else f"convert{number}(value)"
        if field.missing is MISSING:
            lines += [f"    value = data[{field.json_name!r}]"]
            lines += [f"    values[{field.name!r}] = {value}"]
        else:
            lines += [f"    value = data.get({field.json_name!r})"]
            lines += [f"    values[{field.name!r}] = missing{number} if value is None else {value}"]
    scope: dict[str, Any] = dict(names)
    exec("\n".join([*lines, "    return made"]), scope)  # noqa: S102 - only names of our own dataclasses' fields are in it
    _compiled[cls] = scope["read"]
    return _compiled[cls]
