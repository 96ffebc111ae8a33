"""Pointers lead from ids to customers, never in a circle, and every merge can be undone."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.decider import DomainError
from domain.external_id import ExternalId
from domain.pointer import (
    INITIAL,
    POINTER,
    CustomerAlreadyMerged,
    CustomerMerged,
    CustomerNotMerged,
    CustomerUnmerged,
    ExternalIdAlreadyLinked,
    ExternalIdLinked,
    ExternalIdNotLinked,
    ExternalIdUnlinked,
    LinkExternalId,
    Merge,
    MergedIntoItself,
    Pointer,
    PointerCycle,
    PointerKind,
    UnlinkExternalId,
    Unmerge,
    root_of,
)
from domain.value import InvalidValue
from tests.spec import given

A, B, C, D = (UUID(int=number) for number in (0xA, 0xB, 0xC, 0xD))
SHOP = ExternalId("shop", "17850")
LINKED = ExternalIdLinked(SHOP, A)


def test_an_external_id_is_linked_to_a_customer() -> None:
    given(POINTER).when(LinkExternalId(SHOP, A, "same address")).then(ExternalIdLinked(SHOP, A, "same address"))


def test_the_link_lives_where_facts_look_for_the_customer() -> None:
    assert LinkExternalId(SHOP, A).stream == UnlinkExternalId(SHOP).stream == SHOP.customer


def test_linking_again_is_no_news() -> None:
    given(POINTER, LINKED).when(LinkExternalId(SHOP, A)).then_nothing()


def test_the_external_id_that_a_customer_was_created_with_needs_no_link() -> None:
    given(POINTER).when(LinkExternalId(SHOP, SHOP.customer)).then_nothing()


def test_an_external_id_stands_for_one_customer() -> None:
    given(POINTER, LINKED).when(LinkExternalId(SHOP, B)).then_refused(ExternalIdAlreadyLinked, saying="first")
    given(POINTER, CustomerMerged(A)).when(LinkExternalId(SHOP, B)).then_refused(ExternalIdAlreadyLinked)


def test_a_link_does_not_lead_in_a_circle() -> None:
    given(POINTER).beside(A, CustomerMerged(SHOP.customer)).when(LinkExternalId(SHOP, A)).then_refused(PointerCycle)
    two_steps = given(POINTER).beside(A, CustomerMerged(B)).beside(B, CustomerMerged(SHOP.customer))
    two_steps.when(LinkExternalId(SHOP, A)).then_refused(PointerCycle)


def test_a_link_is_undone_and_says_for_whom_it_stood() -> None:
    given(POINTER, LINKED).when(UnlinkExternalId(SHOP, "wrong")).then(ExternalIdUnlinked(SHOP, A, "wrong"))


@pytest.mark.parametrize("events", [(), (LINKED, ExternalIdUnlinked(SHOP, A)), (CustomerMerged(A),)])
def test_only_a_link_can_be_unlinked(events: tuple[object, ...]) -> None:
    given(POINTER, *events).when(UnlinkExternalId(SHOP)).then_refused(ExternalIdNotLinked)


def test_an_unlinked_external_id_can_be_linked_to_another() -> None:
    given(POINTER, LINKED, ExternalIdUnlinked(SHOP, A)).when(LinkExternalId(SHOP, B)).then(ExternalIdLinked(SHOP, B))


def test_a_customer_is_merged_into_another() -> None:
    given(POINTER).when(Merge(A, B, "one person")).then(CustomerMerged(B, "one person"))


def test_a_customer_is_not_merged_into_itself() -> None:
    given(POINTER).when(Merge(A, A)).then_refused(MergedIntoItself)


def test_the_same_merge_again_is_no_news() -> None:
    given(POINTER, CustomerMerged(B)).when(Merge(A, B)).then_nothing()


@pytest.mark.parametrize("event", [CustomerMerged(B), ExternalIdLinked(SHOP, B)])
def test_a_customer_is_part_of_one_other_alone(event: object) -> None:
    given(POINTER, event).when(Merge(A, C)).then_refused(CustomerAlreadyMerged, saying="un-merge it first")


def test_merges_do_not_lead_in_a_circle() -> None:
    given(POINTER).beside(A, CustomerMerged(B)).when(Merge(B, A)).then_refused(PointerCycle, saying="the other way round")
    given(POINTER).beside(A, CustomerMerged(B)).beside(B, CustomerMerged(C)).when(Merge(C, A)).then_refused(PointerCycle)
    given(POINTER).beside(SHOP.customer, ExternalIdLinked(SHOP, B)).when(Merge(B, SHOP.customer)).then_refused(PointerCycle)


def test_a_customer_may_be_merged_into_one_that_is_merged_itself() -> None:
    given(POINTER).beside(B, CustomerMerged(C)).when(Merge(A, B)).then(CustomerMerged(B))


def test_a_merge_is_undone_and_says_what_it_was_part_of() -> None:
    given(POINTER, CustomerMerged(B)).when(Unmerge(A, "two people")).then(CustomerUnmerged(B, "two people"))


@pytest.mark.parametrize("events", [(), (CustomerMerged(B), CustomerUnmerged(B)), (LINKED,)])
def test_only_a_merge_can_be_undone(events: tuple[object, ...]) -> None:
    given(POINTER, *events).when(Unmerge(A)).then_refused(CustomerNotMerged)


def test_what_was_unmerged_can_be_merged_the_other_way_round() -> None:
    given(POINTER).beside(A, CustomerMerged(B), CustomerUnmerged(B)).when(Merge(B, A)).then(CustomerMerged(A))


def walked(command: object, pointers: dict[UUID, Pointer]) -> list[UUID]:
    """The streams that a command asks for, in order."""
    assert POINTER.walk is not None
    walk, asked = POINTER.walk(command), []  # type: ignore[arg-type]
    try:
        stream = next(walk)
        while True:
            asked.append(stream)
            stream = walk.send(pointers.get(stream, INITIAL))
    except StopIteration:
        return asked


def test_a_merge_reads_the_streams_up_to_both_roots() -> None:
    pointers = {B: Pointer(PointerKind.MERGE, C), C: Pointer(PointerKind.MERGE, D)}
    assert walked(Merge(A, B), pointers) == [A, B, C, D]
    assert walked(Merge(B, A), pointers) == [B, C, D, A]
    assert walked(LinkExternalId(SHOP, B), pointers) == [SHOP.customer, B, C, D]


def test_no_stream_is_read_twice() -> None:
    pointers = {A: Pointer(PointerKind.MERGE, C), B: Pointer(PointerKind.MERGE, C)}
    assert walked(Merge(A, B), pointers) == [A, C, B]


def test_undoing_reads_its_own_way_up_alone() -> None:
    assert walked(Unmerge(A), {A: Pointer(PointerKind.MERGE, B)}) == [A, B]
    assert walked(UnlinkExternalId(SHOP), {}) == [SHOP.customer]


def test_a_circle_that_could_not_be_ends_the_walk_and_has_no_root() -> None:
    circle = {A: Pointer(PointerKind.MERGE, B), B: Pointer(PointerKind.MERGE, A)}
    assert walked(Merge(A, B), circle) == [A, B]
    for beginning in (A, C):
        with pytest.raises(PointerCycle):
            root_of({**circle, C: Pointer(PointerKind.MERGE, A)}, beginning)


def test_the_root_is_where_pointers_end() -> None:
    pointers = {A: Pointer(PointerKind.LINK, B), B: Pointer(PointerKind.MERGE, C)}
    assert [root_of(pointers, stream) for stream in (A, B, C, D)] == [C, C, C, D]


@pytest.mark.parametrize(("command", "what"), [(LinkExternalId, (SHOP, A)), (UnlinkExternalId, (SHOP,)), (Merge, (A, B)), (Unmerge, (A,))])
def test_every_pointer_takes_a_reason_that_says_something(command: type, what: tuple[object, ...]) -> None:
    assert command(*what, "said so").reason == "said so"
    with pytest.raises(InvalidValue, match="The reason is empty"):
        command(*what, "")


PEOPLE = [UUID(int=number) for number in range(1, 7)]
commands = st.one_of(
    st.builds(Merge, st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)),
    st.builds(Unmerge, st.sampled_from(PEOPLE)),
)


@for_all(st.lists(commands, max_size=40))
@settings(max_examples=200, deadline=None)
def test_whatever_is_merged_and_unmerged_everybody_has_a_root(everything: list[Merge | Unmerge]) -> None:
    pointers: dict[UUID, Pointer] = {}
    for command in everything:
        try:
            events = POINTER.decide({stream: pointers.get(stream, INITIAL) for stream in walked(command, pointers)}, command)
        except DomainError:
            continue
        for event in events:
            pointers[command.stream] = POINTER.evolve(pointers.get(command.stream, INITIAL), event)
    for person in PEOPLE:
        assert pointers.get(root_of(pointers, person), INITIAL).to is None
