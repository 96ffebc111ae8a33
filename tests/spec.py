"""Given these events, when this command comes, then these events follow: how rules are tested.

    given(CUSTOMER, CAPTURED).when(CorrectName(ANA)).then(NameCorrected(ANA))

Where a decision depends on other streams (`Decider.walk`), `beside` says what happened there, and the walk itself is tested too:
`decide` is shown the streams that the walk asked for and no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any
from uuid import UUID

import pytest

from domain.decider import Decider, DomainError
from domain.event_types import BY_CLASS


@dataclass(frozen=True)
class Given:
    """What has happened so far, in the command's own stream and in others."""

    decider: Decider[Any, Any, Any]
    events: tuple[Any, ...]
    others: dict[UUID, tuple[Any, ...]] = field(default_factory=dict)

    def beside(self, stream: UUID, *events: Any) -> Given:
        """What happened in another stream of the same key."""
        return replace(self, others={**self.others, stream: events})

    def when(self, command: Any) -> When:
        """The command that comes now."""
        return When(self, command)

    def state(self, events: Sequence[Any]) -> Any:
        """The fold of these events."""
        return reduce(self.decider.evolve, events, self.decider.initial)


@dataclass(frozen=True)
class When:
    """A command on its way to be decided."""

    given: Given
    command: Any

    def then(self, *events: Any) -> None:
        """Exactly these events follow; they can be stored, and folded."""
        assert tuple(self._decided()) == events
        assert all(type(event) in BY_CLASS for event in events)
        self.given.state((*self.given.events, *events))

    def then_nothing(self) -> None:
        """Nothing is new."""
        assert self._decided() == []

    def then_refused(self, refusal: type[DomainError], *, saying: str = "") -> None:
        """A rule refuses, under its own name and with a sentence (which contains `saying`)."""
        with pytest.raises(DomainError) as caught:
            self._decided()
        assert type(caught.value) is refusal, f"refused as {type(caught.value).__name__}: {caught.value}"
        assert str(caught.value).endswith(".")
        assert saying in str(caught.value)

    def _decided(self) -> list[Any]:
        decider, events = self.given.decider, self.given.events
        if decider.walk is None:
            return decider.decide(self.given.state(events), self.command)
        return decider.decide(self._walked({**self.given.others, self.command.stream: events}), self.command)

    def _walked(self, streams: dict[UUID, tuple[Any, ...]]) -> dict[UUID, Any]:
        """What the walk asks for, answered like the command handler does."""
        assert self.given.decider.walk is not None
        states: dict[UUID, Any] = {}
        walk = self.given.decider.walk(self.command)
        try:
            stream = next(walk)
            while True:
                states[stream] = self.given.state(streams.get(stream, ()))
                stream = walk.send(states[stream])
        except StopIteration:
            return states


def given(decider: Decider[Any, Any, Any], *events: Any) -> Given:
    """These events have happened in the command's own stream."""
    return Given(decider, events)
