"""What a customer has several of (numbers, addresses), each told from the others by its key: the rules that all of them share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from domain.decider import DomainError


class Held(Protocol):
    """Something that a customer has."""

    @property
    def key(self) -> str:
        """What tells it from the customer's others of its kind."""
        ...

    @property
    def since(self) -> date | None:
        """The first day on which it was theirs; None if nobody said."""
        ...


H = TypeVar("H", bound=Held)


class EndsBeforeItBegins(DomainError):
    """The last day that was given lies before the first."""


@dataclass(frozen=True)
class Rules:
    """Whether a command about one of them changes anything, and when it is refused."""

    word: str
    not_known: type[DomainError]
    already_known: type[DomainError]

    def adds(self, held: Iterable[Held], item: Held) -> bool:
        """Whether it is new. Raises `already_known` if it is there with other details: those are corrected, not added."""
        known = find(held, item.key)
        if known is not None and known != item:
            raise self.already_known(f"The customer has this {self.word} already; correct it instead of adding it.")
        return known is None

    def corrects(self, held: tuple[Held, ...], key: str, right: Held) -> bool:
        """Whether `right` differs from the one with this key. Raises `not_known`, or `already_known` if `right` is there besides."""
        known = self._require(held, key)
        if right.key != key and find(held, right.key) is not None:
            raise self.already_known(f"The customer has the right {self.word} already; remove the wrong one instead.")
        return known != right

    def require_removable(self, held: Iterable[Held], key: str, until: date | None) -> None:
        """Raises `not_known`; raises EndsBeforeItBegins if `until`, the last day, lies before the first."""
        since = self._require(held, key).since
        if until is not None and since is not None and until < since:
            raise EndsBeforeItBegins(f"The last day, {until}, lies before the first, {since}; correct one of the two.")

    def _require(self, held: Iterable[Held], key: str) -> Held:
        known = find(held, key)
        if known is None:
            raise self.not_known(f"The customer has no such {self.word}; it may have been corrected or removed meanwhile.")
        return known


def find(held: Iterable[H], key: str) -> H | None:
    """The one with this key, if there."""
    return next((item for item in held if item.key == key), None)


def unique(held: Iterable[H]) -> tuple[H, ...]:
    """Each key once; the first counts."""
    firsts: dict[str, H] = {}
    for item in held:
        firsts.setdefault(item.key, item)
    return tuple(firsts.values())


def without(held: Iterable[H], key: str) -> tuple[H, ...]:
    """All but the one with this key."""
    return tuple(item for item in held if item.key != key)


def put(held: tuple[H, ...], key: str, item: H) -> tuple[H, ...]:
    """`item` in the place of the one with this key, or at the end where there is none."""
    if find(held, key) is None:
        return (*held, item)
    return tuple(item if one.key == key else one for one in held)
