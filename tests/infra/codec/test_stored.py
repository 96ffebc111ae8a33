"""What we store is what we read again, of every type that the log may hold; what it cannot hold is found when the class is first used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
import pytest

from domain.deciders import DECIDERS
from domain.event_types import EVENT_TYPES
from infra.codec.stored import UnreadableData, UnsupportedAnnotation, decode, encode, fields_of, write_json

AT = datetime(2026, 11, 22, 10, 0, 0, 1, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Part:
    amount: Decimal
    label: str | None = None


@dataclass(frozen=True)
class Everything:
    text: str
    number: int
    yes: bool
    amount: Decimal
    day: date
    at: datetime
    id: UUID
    colour: Colour
    part: Part
    maybe: str | None = None
    parts: tuple[Part, ...] = ()
    words: tuple[str, ...] = field(default_factory=tuple)
    from_: str | None = None


ALL = Everything(
    'a"\\\0\u0219\U0001f4de', -(2**63), False, Decimal("12.30"), date(2026, 11, 22), AT, UUID(int=7), Colour.RED, Part(Decimal(1)),
    None, (Part(Decimal("0.10"), "x"), Part(Decimal("1E+2"))), ("", "b"), "+40",
)  # fmt: skip


def stored(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(write_json(encode(value)))
    return found


def test_everything_comes_back() -> None:
    assert decode(Everything, stored(ALL)) == ALL


def test_how_it_stands_in_the_log() -> None:
    body = stored(ALL)
    assert body["amount"] == "12.30"
    assert body["parts"] == [{"amount": "0.10", "label": "x"}, {"amount": "100", "label": None}]
    assert body["at"] == "2026-11-22T10:00:00.000001Z"
    assert body["from"] == "+40"
    assert "maybe" not in body


def test_an_old_event_reads_as_its_defaults_and_a_newer_writers_fields_are_passed_over() -> None:
    body = {"amount": "1", "colour": "of a later version"}
    assert decode(Part, body) == Part(Decimal(1))


@dataclass(frozen=True)
class Strict:
    text: str

    def __post_init__(self) -> None:
        raise ValueError("no longer allowed")


def test_validation_that_was_tightened_later_does_not_hinder_reading() -> None:
    assert decode(Strict, {"text": "x"}).text == "x"


@pytest.mark.parametrize("wrong", [
    {"amount": None}, {"amount": "x"}, {"amount": []}, {"day": "Zoe"}, {"day": 7}, {"at": "Zoe"}, {"id": "Zoe"}, {"id": 7},
    {"colour": "Zoe"}, {"part": "Zoe"}, {"part": {}}, {"part": []}, {"parts": 7}, {"parts": ["Zoe"]}, {"parts": [None]},
], ids=repr)  # fmt: skip
def test_data_that_does_not_fit_is_said_without_a_word_of_it(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnreadableData) as caught:
        decode(Everything, stored(ALL) | wrong)
    assert "Zoe" not in str(caught.value)
    assert caught.value.__cause__ is None, "a traceback would show it"


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(UnreadableData, match="Part cannot be read: 'amount' is missing"):
        decode(Part, {})


@dataclass(frozen=True)
class WithFloat:
    x: float


@dataclass(frozen=True)
class WithList:
    x: list[str]


@dataclass(frozen=True)
class WithUnion:
    x: str | int


@dataclass(frozen=True)
class WithDefault:
    x: str | None = "not None"


@dataclass(frozen=True)
class Aliased:
    from_: str


@dataclass(frozen=True)
class WithAliasWithin:
    x: Aliased


@dataclass(frozen=True)
class WithAliasesWithin:
    x: tuple[Aliased, ...]


@pytest.mark.parametrize("cls", [WithFloat, WithList, WithUnion, WithDefault, WithAliasWithin, WithAliasesWithin])
def test_what_the_log_cannot_hold_is_found_when_the_class_is_first_used(cls: type) -> None:
    with pytest.raises(UnsupportedAnnotation):
        fields_of(cls)


@pytest.mark.parametrize(
    "cls", [*(kind.cls for kind in EVENT_TYPES), *(type(one.initial) for one in DECIDERS)], ids=lambda cls: cls.__name__
)
def test_every_event_and_every_state_can_be_stored(cls: type) -> None:
    fields_of(cls)


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.name)
def test_a_personal_field_has_a_default_to_read_as_when_erased(kind: Any) -> None:
    for one in fields_of(kind.cls):
        assert not one.personal or one.missing in (None, ()), one.name
