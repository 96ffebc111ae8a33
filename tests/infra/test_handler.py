"""Commands on both logs: repeated, interrupted; where they go, when they happened, and what they say about themselves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.customer import CUSTOMER, CaptureCustomer, CustomerNotCaptured, SetLanguage
from domain.ids import commit_id
from domain.interaction import INTERACTION, AttributeInteraction
from infra.eventstore import recorder
from infra.handler import OtherRequest
from infra.log.contract import RecordTooLarge
from tests.faults import wait_until
from tests.infra.crm import ACTOR, D, F, Shop
from tests.infra.people import ANA, BOB, capture, captured, customer, setter, versions
from tests.infra.processes import process

T0 = datetime(2020, 5, 1, 12, tzinfo=UTC)


def test_the_same_idempotency_key_is_the_same_commit(shop: Shop) -> None:
    first = capture(shop.crm, ANA, idempotency_key="one")
    again = capture(shop.another(), ANA, idempotency_key="one")
    assert not first.repeated
    assert again.repeated
    assert (again.position, again.commit, again.version, again.attempt) == (first.position, first.commit, 1, 1)
    assert again.occurred_at == first.occurred_at
    assert first.commit == commit_id(ACTOR, "one")
    assert len(shop.records(D)) == 1


def test_another_request_under_the_same_idempotency_key_is_said(shop: Shop) -> None:
    crm = shop.crm
    capture(crm, ANA, idempotency_key="one")
    for call in (
        lambda: capture(crm, BOB, idempotency_key="one"),
        lambda: crm.handle(CUSTOMER, SetLanguage("ro"), key=ANA.customer, actor=ACTOR, idempotency_key="one"),
        lambda: crm.handle(CUSTOMER, CaptureCustomer(ANA, company="Another"), key=ANA.customer, actor=ACTOR, idempotency_key="one"),
    ):
        with pytest.raises(OtherRequest, match=r"take a new one\.$"):
            call()
    assert len(shop.records(D)) == 1
    crm.handle(CUSTOMER, SetLanguage("ro"), key=ANA.customer, actor="user:other", idempotency_key="one")


def test_what_appended_nothing_is_decided_again(shop: Shop) -> None:
    capture(shop.crm, ANA)
    nothing = capture(shop.crm, ANA, idempotency_key="again")
    assert (nothing.position, nothing.version, nothing.events) == (None, 1, ())
    with pytest.raises(CustomerNotCaptured):
        shop.crm.handle(CUSTOMER, SetLanguage("ro"), key=BOB.customer, actor=ACTOR, idempotency_key="early")
    capture(shop.crm, BOB)
    assert shop.crm.handle(CUSTOMER, SetLanguage("ro"), key=BOB.customer, actor=ACTOR, idempotency_key="early").version == 2


def test_an_open_outcome_is_settled_by_the_same_command(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    key = captured(shop.crm)
    shop.stop_indexing()
    monkeypatch.setattr(recorder, "WAIT_SECONDS", 0.5)
    opened = [setter(shop.crm, key, 1, idempotency_key="one")() for _ in range(3)]
    assert all(one.open and one.position is not None for one in opened)
    assert opened[0].position is not None
    monkeypatch.undo()
    shop.index()
    settled = setter(shop.crm, key, 1, idempotency_key="one")()
    assert (settled.open, settled.repeated, settled.version) == (False, True, 2)
    assert settled.position == opened[0].position
    assert versions(shop, key) == [1, 2]


def test_a_command_whose_earlier_attempt_turns_up_answers_with_that_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first attempt's answer was open; the index reads it together with the second's."""
    key = captured(shop.crm)
    shop.stop_indexing()
    with monkeypatch.context() as patch:
        patch.setattr(recorder, "WAIT_SECONDS", 0.2)
        first = setter(shop.crm, key, 1, idempotency_key="one")()
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(setter(shop.crm, key, 1, idempotency_key="one"))
        wait_until(lambda: len(shop.records(D)) == 3)
        shop.index()
        answer = second.result(30)
    assert (answer.position, answer.repeated, answer.open) == (first.position, True, False)
    assert versions(shop, key) == [1, 2]


def test_the_wait_is_one_for_append_and_index_together(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    key = captured(shop.crm)
    left: list[float] = []
    monkeypatch.setattr(recorder, "WAIT_SECONDS", 60.0)
    monkeypatch.setattr(recorder, "deadline", lambda seconds: lambda: left.append(seconds) or seconds)
    setter(shop.crm, key, 1)()
    assert left == [60.0, 60.0]


def test_a_process_killed_between_append_and_answer_leaves_the_event_once(still_shop: Shop) -> None:
    shop, key = still_shop, uuid4()
    with process(shop.settings, "tests.infra.writer", "capture", str(key), "one") as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
        wait_until(lambda: sum(shop.crm.log.ends(D).values()) == 1, 30, what="the append")
        writer.kill()
        assert writer.communicate()[0] == ""
    shop.index()
    again = shop.crm.handle(CUSTOMER, CaptureCustomer(company="Zimbru SRL"), key=key, actor=ACTOR, idempotency_key="one")
    assert (again.repeated, again.version) == (True, 1)
    assert again.position is not None
    assert again.position.offset == 0
    assert versions(shop, key) == [1]


def test_times_never_decrease_in_a_stream_and_the_writer_says_so(shop: Shop) -> None:
    crm, key = shop.crm, uuid4()
    born = crm.handle(CUSTOMER, CaptureCustomer(company="Zimbru SRL"), key=key, actor=ACTOR, at=T0)
    assert (born.occurred_at, born.lifted_from) == (T0, None)
    lifted = setter(crm, key, 1, at=T0 - timedelta(days=1))()
    assert (lifted.occurred_at, lifted.lifted_from) == (T0, T0 - timedelta(days=1))
    later = setter(crm, key, 2, at=T0 + timedelta(days=1))()
    assert (later.occurred_at, later.lifted_from) == (T0 + timedelta(days=1), None)
    ahead = setter(crm, key, 3, at=datetime.now(UTC) + timedelta(days=2))()
    assert ahead.occurred_at is not None
    assert ahead.occurred_at < datetime.now(UTC) + timedelta(hours=1)
    assert ahead.lifted_from is not None
    stored = shop.rows("SELECT occurred_at, said_at FROM index.event WHERE key = %s ORDER BY version", key)
    assert stored == [(one.occurred_at, one.lifted_from) for one in (born, lifted, later, ahead)]
    repeated = setter(crm, key, 1, at=T0, idempotency_key="x")()
    assert setter(crm, key, 1, at=T0, idempotency_key="x")().lifted_from == repeated.lifted_from == T0


def test_what_happened_before_1970_keeps_its_time(shop: Shop) -> None:
    founded = datetime(1899, 11, 29, tzinfo=UTC)
    born = shop.crm.handle(CUSTOMER, CaptureCustomer(company="Juventus"), key=uuid4(), actor=ACTOR, at=founded)
    assert (born.occurred_at, born.lifted_from) == (founded, None)


def test_a_clock_that_went_back_does_not_go_back_in_a_stream(shop: Shop) -> None:
    key = captured(shop.crm)
    (before,) = shop.rows("SELECT occurred_at FROM index.event WHERE key = %s", key)
    shop.crm.handler.clock = lambda: T0
    assert setter(shop.crm, key, 1)().occurred_at == before[0]


def test_a_command_too_large_for_the_log_is_refused_before_it_is_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    key = captured(shop.crm)
    with monkeypatch.context() as patch:
        patch.setattr(shop.crm.log, "max_record_bytes", 500)
        with pytest.raises(RecordTooLarge, match="nothing was sent"):
            setter(shop.crm, key, 1)()
    assert setter(shop.crm, key, 1)().version == 2


def test_a_command_about_an_interaction_goes_to_the_facts_and_repeats_there(shop: Shop) -> None:
    key = uuid4()
    for _ in range(2):
        outcome = shop.crm.handle(INTERACTION, AttributeInteraction(ANA.customer), key=key, actor=ACTOR, idempotency_key="one")
        assert outcome.position is not None
        assert outcome.position.topic is F
    assert outcome.repeated
    assert versions(shop, key) == [1]


def test_an_id_that_is_something_else_in_the_other_topic_is_nobody_here(shop: Shop) -> None:
    """An interaction's id where a customer's belongs, and the other way round: two streams, that never disturb each other."""
    interaction = uuid4()
    shop.crm.handle(INTERACTION, AttributeInteraction(ANA.customer), key=interaction, actor=ACTOR)
    with pytest.raises(CustomerNotCaptured):
        shop.crm.handle(CUSTOMER, SetLanguage("ro"), key=interaction, actor=ACTOR)
    capture(shop.crm, ANA)
    shop.crm.handle(INTERACTION, AttributeInteraction(BOB.customer), key=ANA.customer, actor=ACTOR)
    shop.crm.handle(CUSTOMER, SetLanguage("ro"), key=ANA.customer, actor=ACTOR)
    assert customer(shop.crm, ANA).language == "ro"
    assert shop.rows("SELECT count(*) FROM index.refused") == [(0,)]


def test_a_commit_says_who_and_what_caused_it(shop: Shop) -> None:
    key = uuid4()
    outcome = shop.crm.handle(
        CUSTOMER, CaptureCustomer(company="Zimbru SRL"), key=key, actor=ACTOR, causation_id="d0:1", correlation_id="call-7",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )  # fmt: skip
    query = "SELECT actor, causation_id, correlation_id, commit_id, attempt FROM index.event WHERE key = %s"
    assert shop.rows(query, key) == [(ACTOR, "d0:1", "call-7", outcome.commit, 1)]
    (record,) = shop.records(D)
    assert dict(record.headers) == {
        "content-type": b"application/json",
        "traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    alone = setter(shop.crm, key, 1)()
    assert shop.rows(query + " AND version = 2", key) == [(ACTOR, None, str(alone.commit), alone.commit, 1)]
