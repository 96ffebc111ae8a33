"""Whose interaction it is (design, section 2): what the latest decision on its own stream says, else the match of its earliest
fact. Computed anew from all the elements whenever one of them changes, so order across streams does not matter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Element:
    """One fact of an interaction: its place in time, whom it matched, whether it still counts."""

    order: tuple[datetime, str, int, int, int]
    matched: UUID | None
    active: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """The latest decision on the interaction's own stream; None as a customer: detached, nobody's."""

    customer: UUID | None


def customer_of(decided: Decided | None, facts: Iterable[Element]) -> UUID | None:
    """The interaction's customer. Withdrawn facts count only where nothing else is left."""
    if decided is not None:
        return decided.customer
    elements = list(facts)
    candidates = [element for element in elements if element.active] or elements
    return min(candidates, key=lambda element: element.order).matched if candidates else None
