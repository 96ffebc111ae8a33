"""Whose interaction it was: what is decided about a call, a mail or an order after it was reported.

The stream is the interaction's id, which is the key of its facts: it is written among them. Without a decision, the
interaction is the customer's whom its earliest fact was matched to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from domain.decider import Decider, personal
from domain.fact import MatchHow
from domain.value import require_reason


@dataclass(frozen=True)
class AttributeInteraction:
    """It is this customer's. `how` is given by the matcher alone, whose finding never overrides what was decided before."""

    customer: UUID
    reason: str | None = None
    how: MatchHow | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


@dataclass(frozen=True)
class DetachInteraction:
    """It is not the customer's whose it seemed, and nobody knows whose it is."""

    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


InteractionCommand = AttributeInteraction | DetachInteraction


@dataclass(frozen=True)
class InteractionAttributed:
    """The interaction is this customer's, whatever its facts were matched to. Decided by AttributeInteraction."""

    customer: UUID
    how: MatchHow | None = None  # how the matcher found the customer; None: somebody said so
    reason: str | None = personal()


@dataclass(frozen=True)
class InteractionDetached:
    """The interaction is nobody's, whatever its facts were matched to. Decided by DetachInteraction."""

    reason: str | None = personal()


InteractionEvent = InteractionAttributed | InteractionDetached


@dataclass(frozen=True)
class Interaction:
    """What was decided about whose it is; `customer` is None when it was detached, or when nothing was decided yet."""

    decided: bool = False
    customer: UUID | None = None


INITIAL = Interaction()


def decide(interaction: Interaction, command: InteractionCommand, /) -> list[InteractionEvent]:
    """Return what happens; return [] if nothing is new. Nothing is refused: the latest word counts."""
    match command:
        case AttributeInteraction(customer, reason, how):
            if interaction.decided and (how is not None or interaction.customer == customer):
                return []
            return [InteractionAttributed(customer, how, reason)]
        case DetachInteraction(reason):
            if interaction.decided and interaction.customer is None:
                return []
            return [InteractionDetached(reason)]
        case _:
            assert_never(command)


def evolve(interaction: Interaction, event: InteractionEvent, /) -> Interaction:
    """Apply one event. It has already happened, so nothing is checked here."""
    match event:
        case InteractionAttributed(customer):
            return Interaction(True, customer)
        case InteractionDetached():
            return Interaction(True, None)
        case _:
            assert_never(event)


INTERACTION: Decider[Interaction, InteractionCommand, InteractionEvent] = Decider("interaction", INITIAL, decide, evolve, log="facts")
