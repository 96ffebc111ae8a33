"""A customer's e-mail addresses: commands, events and rules. Part of the aggregate in `customer.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import assert_never

from domain import held
from domain.decider import DomainError, personal
from domain.email import Email, EmailAddress
from domain.value import require_reason


@dataclass(frozen=True)
class AddEmail:
    """The customer has this e-mail address too."""

    email: Email
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


@dataclass(frozen=True)
class CorrectEmail:
    """The e-mail address `was` had been written down wrongly (or its label or first day was): it is `email`."""

    was: EmailAddress
    email: Email
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


@dataclass(frozen=True)
class RemoveEmail:
    """The e-mail address is theirs no longer. `until` is the last day on which it was; None: up to now."""

    address: EmailAddress
    until: date | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


EmailCommand = AddEmail | CorrectEmail | RemoveEmail


@dataclass(frozen=True)
class EmailAdded:
    """The customer has a further e-mail address. Decided by AddEmail."""

    email: Email | None = personal()
    reason: str | None = personal()


@dataclass(frozen=True)
class EmailCorrected:
    """An e-mail address had been written down wrongly: what stood there as `was` is `email`. Decided by CorrectEmail."""

    was: EmailAddress | None = personal()
    email: Email | None = personal()
    reason: str | None = personal()


@dataclass(frozen=True)
class EmailRemoved:
    """An e-mail address is the customer's no longer. Decided by RemoveEmail."""

    address: EmailAddress | None = personal()
    until: date | None = None  # the last day on which it was theirs; None: up to when this happened
    reason: str | None = personal()


EmailEvent = EmailAdded | EmailCorrected | EmailRemoved


class EmailNotKnown(DomainError):
    """The customer has no such e-mail address."""


class EmailAlreadyKnown(DomainError):
    """The customer has this e-mail address already, with other details."""


RULES = held.Rules("e-mail address", EmailNotKnown, EmailAlreadyKnown)


def decide_emails(emails: tuple[Email, ...], command: EmailCommand, /) -> list[EmailEvent]:
    """Return what happens to the customer's e-mail addresses; raise DomainError to refuse; return [] if nothing is new."""
    match command:
        case AddEmail(email, reason):
            return [EmailAdded(email, reason)] if RULES.adds(emails, email) else []
        case CorrectEmail(was, email, reason):
            return [EmailCorrected(was, email, reason)] if RULES.corrects(emails, was.key, email) else []
        case RemoveEmail(address, until, reason):
            RULES.require_removable(emails, address.key, until)
            return [EmailRemoved(address, until, reason)]
        case _:
            assert_never(command)


def evolve_emails(emails: tuple[Email, ...], event: EmailEvent, /) -> tuple[Email, ...]:
    """Apply one event. What an erasure left empty changes nothing."""
    match event:
        case EmailAdded(email):
            return held.put(emails, email.key, email) if email else emails
        case EmailCorrected(was, email):
            return held.put(emails, was.key, email) if was and email else emails
        case EmailRemoved(address):
            return held.without(emails, address.key) if address else emails
        case _:
            assert_never(event)
