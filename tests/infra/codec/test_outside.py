"""What comes from outside is taken exactly as its type says, or refused in a sentence that names the place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

from domain.inbound_types import INBOUND_TYPES
from domain.value import InvalidValue
from infra.codec.outside import Malformed, parse

ID = "6f9619ff-8b86-4011-b42d-00cf4fc964ff"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Part:
    amount: Decimal
    label: str = "none"

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise InvalidValue("The amount is negative; give a positive one.")


@dataclass(frozen=True)
class Whole:
    text: str
    number: int | None = None
    yes: bool | None = None
    day: date | None = None
    at: datetime | None = None
    id: UUID | None = None
    colour: Colour | None = None
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    words: tuple[str, ...] = ()
    from_: str | None = None


def test_every_kind_of_value_is_taken() -> None:
    data = {
        "text": "", "number": -7, "yes": False, "day": "2026-11-22", "at": "2026-11-22T10:00:00+02:00", "id": ID.upper(), "colour": "red",
        "part": {"amount": "12.30"}, "parts": [{"amount": 5, "label": "x"}], "words": ["a", ""], "from": "+40",
    }  # fmt: skip
    at = datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(hours=2)))
    parts = (Part(Decimal(5), "x"),)
    assert parse(Whole, data) == Whole(
        "", -7, False, date(2026, 11, 22), at, UUID(ID), Colour.RED, Part(Decimal("12.30")), parts, ("a", ""), "+40"
    )


def test_null_is_as_absent() -> None:
    assert parse(Whole, {"text": "x", "number": None, "parts": None}) == Whole("x")


MALFORMED: list[tuple[Any, str]] = [
    (None, "data must be a JSON object."),
    ([], "data must be a JSON object."),
    ("x", "data must be a JSON object."),
    ({}, "data.text is missing."),
    ({"text": None}, "data.text is missing."),
    ({"text": 7}, "data.text must be text."),
    ({"text": ["x"]}, "data.text must be text."),
    ({"text": "x", "Number": 1}, "data has no field 'Number'; there are at, colour, "),
    ({"text": "x", "from_": "y"}, "data has no field 'from_'"),
    *(({"text": "x", "number": wrong}, "data.number must be a whole number of at most 64 bits.")
      for wrong in (1.0, "1", True, [], {}, 2**63, -(2**63) - 1, 10**30)),
    *(({"text": "x", "yes": wrong}, "data.yes must be true or false.") for wrong in (0, 1, "true", [])),
    *(({"text": "x", "day": wrong}, "data.day must be a date such as 2026-11-22.")
      for wrong in (20261122, "22.11.2026", "2026-02-30", "", "2026-11-22T10:00:00Z", [], {}, True)),
    *(({"text": "x", "at": wrong}, "data.at must be a time with its offset, such as 2026-11-22T10:00:00+02:00.")
      for wrong in (1700000000, "yesterday", "", [], {}, "2026-11-22T25:00:00Z", "2026-11-22T10:00:60Z")),
    *(({"text": "x", "at": wrong}, "data.at must say its offset, such as 2026-11-22T10:00:00+02:00.")
      for wrong in ("2026-11-22T10:00:00", "2026-11-22")),
    *(({"text": "x", "at": wrong}, "data.at must lie within the years 1 to 9999.")
      for wrong in ("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00")),
    *(({"text": "x", "id": wrong}, "data.id must be an id of ours (a UUID).")
      for wrong in (7, "", "x", ID[:-1], ID + "0", ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", ID[:-1] + "\u0661",
                    ID[:-2] + "_f", ID + "\n", [], {}, True)),
    *(({"text": "x", "colour": wrong}, "data.colour must be one of red, blue.") for wrong in ("green", "RED", "", 7, [], {}, True)),
    *(({"text": "x", "part": wrong}, "data.part must be a JSON object.") for wrong in ("x", 7, [], True)),
    ({"text": "x", "part": {}}, "data.part.amount is missing."),
    *(({"text": "x", "part": {"amount": wrong}}, 'data.part.amount must be a decimal number as text, such as "12.30".')
      for wrong in (1.5, "1,5", "", "NaN", "Infinity", "1e5", "0x1", "1_0", "\u0661", " 1", "1\n", ".5", "5.", "1" * 61, True, [], {})),
    ({"text": "x", "part": {"amount": "1", "x": 1}}, "data.part has no field 'x'; there are amount, label."),
    ({"text": "x", "part": {"amount": "-1"}}, "data.part: The amount is negative; give a positive one."),
    *(({"text": "x", "parts": wrong}, "data.parts must be a list.") for wrong in ({}, "x", 7, True)),
    ({"text": "x", "parts": [{"amount": 1}, None]}, "data.parts[1] must be a JSON object."),
    ({"text": "x", "parts": [{"amount": 1}, {"amount": "x"}]}, "data.parts[1].amount must be a decimal number"),
    ({"text": "x", "words": ["a", None]}, "data.words[1] must be text."),
    ({"text": "x", "words": "abc"}, "data.words must be a list."),
]  # fmt: skip


@pytest.mark.parametrize(("data", "sentence"), MALFORMED, ids=lambda value: repr(value)[:60])
def test_what_does_not_fit_is_said_with_its_place(data: Any, sentence: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(Whole, data)
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("inbound", INBOUND_TYPES, ids=lambda inbound: inbound.name)
def test_every_inbound_type_can_be_read(inbound: Any) -> None:
    with pytest.raises(Malformed, match="has no field 'nonsense'"):
        parse(inbound.data, {"nonsense": 1})
