"""One table of a mapping, read key by key: it knows where it stands and complains about keys that nobody asked for."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from consumers.importing.errors import MappingWrong, nearest

Scalar = str | int | Decimal | bool


class Table:
    """A TOML table with its place in the file. Each key is taken once; `close` refuses what is left."""

    def __init__(self, raw: dict[str, Any], place: str) -> None:
        self.raw = raw
        self.place = place
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        self._asked.add(key)
        return key in self.raw

    def wrong(self, problem: str, key: str | None = None) -> MappingWrong:
        """The error that something here is wrong, with the place before it."""
        return MappingWrong(self.at(key), problem)

    def at(self, key: str | None) -> str:
        """The place of one key: `[group], by`; `[[event]] 2, data.total`."""
        if key is None:
            return self.place
        if not self.place:
            return key
        return f"{self.place}, {key}" if self.place.startswith("[") and ", " not in self.place else f"{self.place}.{key}"

    def take(self, key: str) -> Any:
        """The raw value of a key, None if it is absent."""
        self._asked.add(key)
        return self.raw.get(key)

    def text(self, key: str) -> str | None:
        """A text in quotes, None if absent."""
        value = self.take(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong('must be a text in quotes, such as "abc".', key)
        return value

    def needed_text(self, key: str) -> str:
        """A text that must be there and must not be empty."""
        value = self.text(key)
        if not value:
            raise self.wrong(f'is missing; add {key} = "…".', key)
        return value

    def choice(self, key: str, words: Collection[str]) -> str | None:
        """One of some words, None if absent."""
        word = self.text(key)
        if word is not None and word not in words:
            raise self.wrong(f"{word!r} is not known here; write one of {', '.join(words)}.", key)
        return word

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts; a single text counts as a list of one."""
        value = self.take(key)
        if value is None:
            return None
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise self.wrong('must be a list of texts, such as ["a", "b"].', key)
        return tuple(items)

    def flag(self, key: str) -> bool:
        """true or false; false if absent."""
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            raise self.wrong("must be true or false, without quotes.", key)
        return bool(value)

    def scalar(self, key: str) -> Scalar:
        """A text, a number or true/false. Dates of TOML's own are refused, since they do not say how the file writes them."""
        value = self.take(key)
        if not isinstance(value, (str, int, Decimal)):
            raise self.wrong("must be a text in quotes, a number, or true or false.", key)
        return value

    def table(self, key: str) -> Table | None:
        """A table, None if absent."""
        value = self.take(key)
        return None if value is None else self._table(value, key, self.at(key))

    def tables(self, key: str) -> list[Table] | None:
        """A list of tables, None if absent; their places are numbered from 1."""
        value = self.take(key)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self.wrong('must be a list of tables, such as [ { column = "A" } ].', key)
        return [self._table(item, key, f"{self.at(key)} {number}") for number, item in enumerate(value, 1)]

    def _table(self, value: object, key: str, place: str) -> Table:
        if not isinstance(value, dict):
            hint = f'; write {{ column = "{value}" }} or {{ value = "{value}" }}.' if isinstance(value, str) else "."
            raise self.wrong("must be a table in braces" + hint, key)
        return Table(value, place)

    def close(self, also_known: Collection[str] = ()) -> None:
        """Raises MappingWrong for a key that nobody asked for; `also_known` are keys that would have been right."""
        known = sorted(self._asked | set(also_known))
        for key in self.raw:
            if key not in self._asked:
                raise self.wrong(f"there is no such key here{nearest(key, known) or '.'} The keys here are {', '.join(known)}.", key)
