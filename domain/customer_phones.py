"""A customer's numbers: commands, events and rules. Part of the aggregate in `customer.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import assert_never

from domain import held
from domain.decider import DomainError, personal
from domain.phone import Phone, PhoneNumber
from domain.value import require_reason


@dataclass(frozen=True)
class AddPhone:
    """The customer has this number too."""

    phone: Phone
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


@dataclass(frozen=True)
class CorrectPhone:
    """The number `was` had been written down wrongly (or its kind, label or first day was): it is `phone`."""

    was: PhoneNumber
    phone: Phone
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


@dataclass(frozen=True)
class RemovePhone:
    """The number is theirs no longer. `until` is the last day on which it was; None: up to now."""

    number: PhoneNumber
    until: date | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


PhoneCommand = AddPhone | CorrectPhone | RemovePhone


@dataclass(frozen=True)
class PhoneAdded:
    """The customer has a further number. Decided by AddPhone."""

    phone: Phone | None = personal()
    reason: str | None = personal()


@dataclass(frozen=True)
class PhoneCorrected:
    """A number had been written down wrongly: what stood there as `was` is `phone`. Decided by CorrectPhone."""

    was: PhoneNumber | None = personal()
    phone: Phone | None = personal()
    reason: str | None = personal()


@dataclass(frozen=True)
class PhoneRemoved:
    """A number is the customer's no longer. Decided by RemovePhone."""

    number: PhoneNumber | None = personal()
    until: date | None = None  # the last day on which it was theirs; None: up to when this happened
    reason: str | None = personal()


PhoneEvent = PhoneAdded | PhoneCorrected | PhoneRemoved


class PhoneNotKnown(DomainError):
    """The customer has no such number."""


class PhoneAlreadyKnown(DomainError):
    """The customer has this number already, with other details."""


RULES = held.Rules("number", PhoneNotKnown, PhoneAlreadyKnown)


def decide_phones(phones: tuple[Phone, ...], command: PhoneCommand, /) -> list[PhoneEvent]:
    """Return what happens to the customer's numbers; raise DomainError to refuse; return [] if nothing is new."""
    match command:
        case AddPhone(phone, reason):
            return [PhoneAdded(phone, reason)] if RULES.adds(phones, phone) else []
        case CorrectPhone(was, phone, reason):
            return [PhoneCorrected(was, phone, reason)] if RULES.corrects(phones, was.key, phone) else []
        case RemovePhone(number, until, reason):
            RULES.require_removable(phones, number.key, until)
            return [PhoneRemoved(number, until, reason)]
        case _:
            assert_never(command)


def evolve_phones(phones: tuple[Phone, ...], event: PhoneEvent, /) -> tuple[Phone, ...]:
    """Apply one event. What an erasure left empty changes nothing."""
    match event:
        case PhoneAdded(phone):
            return held.put(phones, phone.key, phone) if phone else phones
        case PhoneCorrected(was, phone):
            return held.put(phones, was.key, phone) if was and phone else phones
        case PhoneRemoved(number):
            return held.without(phones, number.key) if number else phones
        case _:
            assert_never(event)
