"""The kinds of values: what a place in the mapping wants, in the manual's words."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What one value becomes."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    SECONDS = "seconds"
    TIME = "time"
    DATE = "date"


class Compound(StrEnum):
    """What is made of several values."""

    MONEY = "money"
    TEXTS = "texts"
