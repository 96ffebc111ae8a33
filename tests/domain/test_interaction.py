"""Whose an interaction is: the latest word counts, and the matcher's never overrides a decision."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.fact import MatchHow
from domain.interaction import INTERACTION, AttributeInteraction, DetachInteraction, InteractionAttributed, InteractionDetached
from domain.value import InvalidValue
from tests.spec import given

A, B = UUID(int=1), UUID(int=2)


def test_what_is_decided_stands_among_the_facts() -> None:
    assert INTERACTION.log == "facts"


def test_an_interaction_is_attributed() -> None:
    given(INTERACTION).when(AttributeInteraction(A, "she said so")).then(InteractionAttributed(A, None, "she said so"))


def test_it_can_be_attributed_to_another() -> None:
    given(INTERACTION, InteractionAttributed(A)).when(AttributeInteraction(B)).then(InteractionAttributed(B))


def test_attributing_it_again_is_no_news() -> None:
    given(INTERACTION, InteractionAttributed(A)).when(AttributeInteraction(A, "again")).then_nothing()


def test_it_is_detached_even_where_only_a_match_attributed_it() -> None:
    given(INTERACTION).when(DetachInteraction("wrong person")).then(InteractionDetached("wrong person"))
    given(INTERACTION, InteractionAttributed(A)).when(DetachInteraction()).then(InteractionDetached())


def test_detaching_it_again_is_no_news() -> None:
    given(INTERACTION, InteractionDetached()).when(DetachInteraction()).then_nothing()


def test_what_was_detached_can_be_attributed_again() -> None:
    given(INTERACTION, InteractionDetached()).when(AttributeInteraction(A)).then(InteractionAttributed(A))


def test_the_matcher_attributes_what_nobody_decided() -> None:
    command = AttributeInteraction(A, how=MatchHow.DIRECT_LINE)
    given(INTERACTION).when(command).then(InteractionAttributed(A, MatchHow.DIRECT_LINE))


@pytest.mark.parametrize("decided", [InteractionAttributed(B), InteractionDetached(), InteractionAttributed(B, MatchHow.EMAIL)])
def test_the_matcher_never_overrides_a_decision(decided: object) -> None:
    given(INTERACTION, decided).when(AttributeInteraction(A, how=MatchHow.DIRECT_LINE)).then_nothing()


def test_a_colleague_overrides_the_matcher() -> None:
    given(INTERACTION, InteractionAttributed(A, MatchHow.EMAIL)).when(AttributeInteraction(B)).then(InteractionAttributed(B))


def test_a_reason_says_something() -> None:
    with pytest.raises(InvalidValue, match="The reason is empty"):
        AttributeInteraction(A, "")
    with pytest.raises(InvalidValue, match="The reason is empty"):
        DetachInteraction(" ")
