"""A customer's postal addresses: commands, events and rules. Part of the aggregate in `customer.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import assert_never

from domain import held
from domain.address import Address, PostalAddress
from domain.decider import DomainError, personal
from domain.value import require_reason


@dataclass(frozen=True)
class AddAddress:
    """The customer has this postal address too."""

    address: Address
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


@dataclass(frozen=True)
class CorrectAddress:
    """The postal address `was` had been written down wrongly (or its label or first day was): it is `address`."""

    was: PostalAddress
    address: Address
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


@dataclass(frozen=True)
class RemoveAddress:
    """The postal address is theirs no longer. `until` is the last day on which it was; None: up to now."""

    postal_address: PostalAddress
    until: date | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)


AddressCommand = AddAddress | CorrectAddress | RemoveAddress


@dataclass(frozen=True)
class AddressAdded:
    """The customer has a further postal address. Decided by AddAddress."""

    address: Address | None = personal()
    reason: str | None = personal()


@dataclass(frozen=True)
class AddressCorrected:
    """A postal address had been written down wrongly: what stood there as `was` is `address`. Decided by CorrectAddress."""

    was: PostalAddress | None = personal()
    address: Address | None = personal()
    reason: str | None = personal()


@dataclass(frozen=True)
class AddressRemoved:
    """A postal address is the customer's no longer. Decided by RemoveAddress."""

    postal_address: PostalAddress | None = personal()
    until: date | None = None  # the last day on which it was theirs; None: up to when this happened
    reason: str | None = personal()


AddressEvent = AddressAdded | AddressCorrected | AddressRemoved


class AddressNotKnown(DomainError):
    """The customer has no such postal address."""


class AddressAlreadyKnown(DomainError):
    """The customer has this postal address already, with other details."""


RULES = held.Rules("postal address", AddressNotKnown, AddressAlreadyKnown)


def decide_addresses(addresses: tuple[Address, ...], command: AddressCommand, /) -> list[AddressEvent]:
    """Return what happens to the customer's postal addresses; raise DomainError to refuse; return [] if nothing is new."""
    match command:
        case AddAddress(address, reason):
            return [AddressAdded(address, reason)] if RULES.adds(addresses, address) else []
        case CorrectAddress(was, address, reason):
            return [AddressCorrected(was, address, reason)] if RULES.corrects(addresses, was.key, address) else []
        case RemoveAddress(postal_address, until, reason):
            RULES.require_removable(addresses, postal_address.key, until)
            return [AddressRemoved(postal_address, until, reason)]
        case _:
            assert_never(command)


def evolve_addresses(addresses: tuple[Address, ...], event: AddressEvent, /) -> tuple[Address, ...]:
    """Apply one event. What an erasure left empty changes nothing."""
    match event:
        case AddressAdded(address):
            return held.put(addresses, address.key, address) if address else addresses
        case AddressCorrected(was, address):
            return held.put(addresses, was.key, address) if was and address else addresses
        case AddressRemoved(postal_address):
            return held.without(addresses, postal_address.key) if postal_address else addresses
        case _:
            assert_never(event)
