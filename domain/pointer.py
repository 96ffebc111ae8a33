"""Pointers: "this id is that customer". A merge points from one customer to another, a link from an external id to its customer.

All pointers live under the one key `domain.ids.POINTERS`, one stream for each id that points. Nothing is rewritten by a merge:
the documents stay with their own customers, whoever shows the survivor composes them, and an un-merge removes the pointer.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from domain.decider import Decider, DomainError, personal
from domain.external_id import ExternalId
from domain.value import require_reason


@dataclass(frozen=True)
class LinkExternalId:
    """A second external id, or one learnt later: it, too, stands for this customer."""

    external_id: ExternalId
    customer: UUID
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)

    @property
    def stream(self) -> UUID:
        """The stream of the pointer."""
        return self.external_id.customer


@dataclass(frozen=True)
class UnlinkExternalId:
    """The external id does not stand for that customer."""

    external_id: ExternalId
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)

    @property
    def stream(self) -> UUID:
        """The stream of the pointer."""
        return self.external_id.customer


@dataclass(frozen=True)
class Merge:
    """The two are one: from now on `customer` is shown as part of `into`."""

    customer: UUID
    into: UUID
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)

    @property
    def stream(self) -> UUID:
        """The stream of the pointer."""
        return self.customer


@dataclass(frozen=True)
class Unmerge:
    """They are two after all: `customer` stands on its own again."""

    customer: UUID
    reason: str | None = None

    def __post_init__(self) -> None:
        require_reason(self.reason)

    @property
    def stream(self) -> UUID:
        """The stream of the pointer."""
        return self.customer


PointerCommand = LinkExternalId | UnlinkExternalId | Merge | Unmerge


@dataclass(frozen=True)
class ExternalIdLinked:
    """The external id stands for this customer, who was not created with it. Decided by LinkExternalId."""

    external_id: ExternalId
    customer: UUID
    reason: str | None = personal()


@dataclass(frozen=True)
class ExternalIdUnlinked:
    """The external id does not stand for this customer. Decided by UnlinkExternalId."""

    external_id: ExternalId
    customer: UUID  # for whom it stood until now
    reason: str | None = personal()


@dataclass(frozen=True)
class CustomerMerged:
    """The customer of this stream is the same as `into`, and is shown as part of it. Decided by Merge."""

    into: UUID
    reason: str | None = personal()


@dataclass(frozen=True)
class CustomerUnmerged:
    """The customer of this stream stands on its own again. Decided by Unmerge."""

    from_: UUID  # what it was part of until now
    reason: str | None = personal()


PointerEvent = ExternalIdLinked | ExternalIdUnlinked | CustomerMerged | CustomerUnmerged


class MergedIntoItself(DomainError):
    """Both sides of a merge are one customer already."""


class CustomerAlreadyMerged(DomainError):
    """The customer is part of another one."""


class CustomerNotMerged(DomainError):
    """The customer is part of no other one."""


class ExternalIdAlreadyLinked(DomainError):
    """The external id stands for another customer."""


class ExternalIdNotLinked(DomainError):
    """The external id stands for nobody by a link."""


class PointerCycle(DomainError):
    """The pointers would lead back to where they began."""


class PointerKind(StrEnum):
    """What a stream under POINTERS says."""

    NONE = "none"
    LINK = "link"
    MERGE = "merge"


@dataclass(frozen=True)
class Pointer:
    """Where one id points; `to` is None where it points nowhere, and stands for itself."""

    kind: PointerKind = PointerKind.NONE
    to: UUID | None = None


INITIAL = Pointer()


def walk(command: PointerCommand, /) -> Generator[UUID, Pointer, None]:
    """Yield the command's own stream and those up to both roots; each is answered with its Pointer."""
    seen: dict[UUID, Pointer] = {}
    yield from _walk_up(command.stream, seen)
    match command:
        case LinkExternalId(customer=other) | Merge(into=other):
            yield from _walk_up(other, seen)
        case UnlinkExternalId() | Unmerge():
            pass
        case _:
            assert_never(command)


def decide(pointers: Mapping[UUID, Pointer], command: PointerCommand, /) -> list[PointerEvent]:
    """Return what happens; raise DomainError to refuse; return [] if nothing is new. `pointers`: all that `walk` asked for."""
    pointer = pointers.get(command.stream, INITIAL)
    match command:
        case LinkExternalId(external_id, customer, reason):
            return [ExternalIdLinked(external_id, customer, reason)] if _links(pointers, pointer, command) else []
        case UnlinkExternalId(external_id, reason):
            if pointer.kind != PointerKind.LINK or pointer.to is None:
                raise ExternalIdNotLinked("This external id is not linked to any customer.")
            return [ExternalIdUnlinked(external_id, pointer.to, reason)]
        case Merge(into=into, reason=reason):
            return [CustomerMerged(into, reason)] if _merges(pointers, pointer, command) else []
        case Unmerge(reason=reason):
            if pointer.kind != PointerKind.MERGE or pointer.to is None:
                raise CustomerNotMerged("This customer is not merged into another one.")
            return [CustomerUnmerged(pointer.to, reason)]
        case _:
            assert_never(command)


def evolve(pointer: Pointer, event: PointerEvent, /) -> Pointer:
    """Apply one event. It has already happened, so nothing is checked here."""
    match event:
        case ExternalIdLinked(customer=customer):
            return Pointer(PointerKind.LINK, customer)
        case CustomerMerged(into=into):
            return Pointer(PointerKind.MERGE, into)
        case ExternalIdUnlinked() | CustomerUnmerged():
            return INITIAL
        case _:
            assert_never(event)


def root_of(pointers: Mapping[UUID, Pointer], customer: UUID) -> UUID:
    """The customer that this id leads to in the end; itself if it points nowhere. What is not in `pointers` points nowhere.

    Raises PointerCycle, which no log that was written through `decide` can hold.
    """
    seen = {customer}
    while (to := pointers.get(customer, INITIAL).to) is not None:
        if to in seen:
            raise PointerCycle("These pointers lead in a circle; un-merge one of the customers.")
        seen.add(to)
        customer = to
    return customer


def _walk_up(stream: UUID, seen: dict[UUID, Pointer]) -> Generator[UUID, Pointer, None]:
    """Yield the streams from here to the root, without those seen before (so a circle ends, too)."""
    step: UUID | None = stream
    while step is not None and step not in seen:
        seen[step] = yield step
        step = seen[step].to


def _links(pointers: Mapping[UUID, Pointer], pointer: Pointer, command: LinkExternalId) -> bool:
    """Whether the link is news. The customer that was created with an external id is found by it without any link."""
    if command.customer in {command.stream, pointer.to}:
        return False
    if pointer.kind != PointerKind.NONE:
        raise ExternalIdAlreadyLinked("This external id stands for another customer; unlink or un-merge that one first.")
    if root_of(pointers, command.customer) == command.stream:
        raise PointerCycle("That customer is part of the one with this external id, so the link would lead in a circle.")
    return True


def _merges(pointers: Mapping[UUID, Pointer], pointer: Pointer, command: Merge) -> bool:
    """Whether the merge is news."""
    if command.customer == command.into:
        raise MergedIntoItself("A customer cannot be merged into itself; choose two customers.")
    if pointer.kind == PointerKind.MERGE and pointer.to == command.into:
        return False
    if pointer.kind != PointerKind.NONE:
        raise CustomerAlreadyMerged("This customer is already part of another one; un-merge it first, or merge that one.")
    if root_of(pointers, command.into) == command.customer:
        raise PointerCycle("That customer is part of this one already, so the merge would lead in a circle; merge the other way round.")
    return True


POINTER: Decider[Pointer, PointerCommand, PointerEvent] = Decider("pointer", INITIAL, decide, evolve, walk=walk)
