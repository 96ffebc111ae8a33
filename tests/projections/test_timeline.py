"""Every event is a row; whose an interaction is, is settled from all that stands under its key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest

from domain.customer import CustomerCaptured
from domain.external_id import ExternalId
from domain.fact import FactWithdrawn
from domain.interaction import InteractionAttributed, InteractionDetached
from domain.pointer import CustomerMerged, ExternalIdLinked
from projections.timeline import ENTRY, TIMELINE
from tests.projections.said import ANA, BOB, EVA, Past, ReadModel, bought, read_model, returned


@pytest.fixture
def timeline(dsn: str) -> Iterator[ReadModel]:
    with read_model(dsn, TIMELINE) as model:
        yield model


def shown(timeline: ReadModel) -> list[tuple[Any, ...]]:
    """(type, version, whose, active), in the order of the timeline."""
    rows = sorted(timeline.rows(ENTRY), key=lambda row: (row["occurred_at"], row["topic"], row["partition"], row["log_offset"]))
    return [(row["type"], row["version"], row["customer"], row["active"]) for row in rows]


def whose(timeline: ReadModel) -> set[UUID | None]:
    return {row["customer"] for row in timeline.rows(ENTRY)}


def test_every_event_is_a_row(timeline: ReadModel) -> None:
    past, external_id = Past(), ExternalId("erp", "17")
    timeline.fold(
        past.of(ANA, CustomerCaptured(external_id)),
        past.pointer(BOB, CustomerMerged(ANA), 1),
        past.pointer(external_id.customer, ExternalIdLinked(external_id, EVA), 2),
        past.fact(bought("o1", "12.30"), 3),
        past.about("o1", InteractionAttributed(ANA), 4),
    )
    assert shown(timeline) == [
        ("customer.captured", 1, ANA, True),
        ("customer.merged", 1, BOB, True),
        ("external_id.linked", 1, EVA, True),
        ("purchase.made", 1, ANA, True),
        ("interaction.attributed", 1, ANA, True),
    ]


def test_a_row_says_what_a_line_of_the_timeline_needs(timeline: ReadModel) -> None:
    timeline.fold(Past().fact(bought("o1", "12.30", reason="phone order")))
    (row,) = timeline.rows(ENTRY)
    assert orjson.loads(row["summary"]) == {"total": "12.30", "currency": "EUR", "lines": 0, "reason": "phone order"}
    assert (row["source"], row["subject"], row["fact_id"], row["how"], row["matched"]) == ("shop", "o1", "1", "id", ANA)


def test_an_interaction_is_whose_its_earliest_fact_was_matched_to_though_it_came_in_late(timeline: ReadModel) -> None:
    past = Past()
    timeline.fold(past.fact(bought("o1", "1", BOB), 5))
    assert whose(timeline) == {BOB}
    timeline.fold(past.fact(bought("o1", "1", ANA, fact_id="2"), 2))
    assert whose(timeline) == {ANA}


def test_an_attribution_moves_every_row_of_the_interaction_and_a_later_one_again(timeline: ReadModel) -> None:
    past = Past()
    timeline.fold(past.fact(bought("o1", "1", None)), past.fact(returned("o1", "1", None, fact_id="2"), 1))
    assert whose(timeline) == {None}
    timeline.fold(past.about("o1", InteractionAttributed(ANA), 2))
    assert whose(timeline) == {ANA}
    timeline.fold(past.about("o1", InteractionAttributed(BOB), 3))
    assert whose(timeline) == {BOB}
    timeline.fold(past.fact(bought("o1", "1", ANA, fact_id="3"), 0))
    assert whose(timeline) == {BOB}, "a decision outweighs what a fact was matched to, whenever that comes in"
    timeline.fold(past.about("o1", InteractionDetached(), 4))
    assert whose(timeline) == {None}


def test_a_decision_that_is_read_before_the_facts_it_is_about_holds(timeline: ReadModel) -> None:
    past = Past()
    timeline.fold(past.about("o1", InteractionAttributed(BOB)))
    timeline.fold(past.fact(bought("o1", "1", ANA), 1))
    assert whose(timeline) == {BOB}


def test_other_interactions_are_left_alone(timeline: ReadModel) -> None:
    past = Past()
    timeline.fold(past.fact(bought("o1", "1", ANA)), past.fact(bought("o2", "1", ANA)))
    timeline.fold(past.about("o1", InteractionAttributed(BOB), 1))
    assert [row["customer"] for row in timeline.rows(ENTRY) if row["subject"] == "o2"] == [ANA]


def test_what_was_withdrawn_is_shown_but_not_active(timeline: ReadModel) -> None:
    past = Past()
    timeline.fold(past.fact(bought("o1", "1", ANA)))
    timeline.fold(past.about("o1", FactWithdrawn("batch 1"), 1, fact_id="1"))
    assert shown(timeline) == [("purchase.made", 1, ANA, False), ("fact.withdrawn", 2, ANA, False)]


def test_what_was_recorded_anew_counts_as_it_was_recorded_last(timeline: ReadModel) -> None:
    past = Past()
    timeline.fold(
        past.fact(bought("o1", "1", ANA)), past.about("o1", FactWithdrawn(), 1, fact_id="1"), past.fact(bought("o1", "2", BOB), 2)
    )
    assert shown(timeline) == [("purchase.made", 1, BOB, False), ("fact.withdrawn", 2, BOB, False), ("purchase.made", 3, BOB, True)]
    timeline.fold(past.about("o1", FactWithdrawn(), 3, fact_id="1"))
    assert whose(timeline) == {BOB}, "where nothing is left, the latest recording still says whose it was"


def test_an_earliest_fact_that_was_withdrawn_gives_way_to_one_that_stands(timeline: ReadModel) -> None:
    past = Past()
    timeline.fold(past.fact(bought("o1", "1", ANA)), past.fact(bought("o1", "1", BOB, fact_id="2"), 1))
    timeline.fold(past.about("o1", FactWithdrawn(), 2, fact_id="1"))
    assert whose(timeline) == {BOB}
