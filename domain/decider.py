"""The shape that every aggregate has: a state, a rule that decides, a fold that evolves. All three are pure."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

State = TypeVar("State")
Command = TypeVar("Command")
Event = TypeVar("Event")


class DomainError(Exception):
    """A command refused by a rule. The message is a sentence for a person; subclasses are named after the rule."""


@dataclass(frozen=True)
class Decider(Generic[State, Command, Event]):
    """One aggregate. `decide` returns what happens, raises DomainError to refuse, returns [] if nothing is new."""

    name: str
    initial: State
    decide: Callable[[Any, Command], list[Event]]
    """Its first argument is the State of the command's own stream; with `walk`, the State of every stream read, by stream."""
    evolve: Callable[[State, Event], State]
    log: Literal["decisions", "facts"] = "decisions"
    """Which part of the log its events go to: `facts` only for what is decided about one reported interaction."""
    walk: Callable[[Command], Generator[UUID, State, None]] | None = None
    """For a decision that depends on other streams of the same key: yields the streams it must see, is sent the State of each."""


Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""From the data of schema n to the data of schema n + 1, as JSON values. Pure; never removed."""


@dataclass(frozen=True)
class EventType:
    """How an event stands in the log. The name is never renamed or reused; a new meaning is a new name."""

    name: str
    cls: type
    upcasters: tuple[Upcaster, ...] = ()
    interaction: bool = False
    """It is about one reported interaction: its personal fields are sealed under the interaction's own encryption key (owner = key),
    so that one mail can be erased alone. Otherwise the owner is the person whose stream it is (owner = stream)."""

    @property
    def schema(self) -> int:
        """The schema number written today: one more than there are upcasters."""
        return len(self.upcasters) + 1


PERSONAL: Mapping[str, bool] = {"personal": True}
"""Metadata of a dataclass field that is encrypted in the log: `name: str | None = field(default=None, metadata=PERSONAL)`.
Such a field has a default, which is what it reads as after its owner was erased. Once personal, always personal."""


def personal(default: Any = None) -> Any:
    """A field that is encrypted in the log; reads as `default` after its owner was erased."""
    return field(default=default, metadata=PERSONAL)
