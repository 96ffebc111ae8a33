"""Several writers at once on one customer, in one process and in many: one wins, nothing is lost, no version is skipped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError

from domain.ids import POINTERS
from domain.pointer import POINTER, Merge, PointerCycle
from infra.eventstore import recorder
from infra.handler import Outcome, VersionMoved
from tests.faults import wait_until
from tests.infra.crm import ACTOR, D, Shop
from tests.infra.people import captured, setter, versions
from tests.infra.processes import process


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each returned or raised, all begun together."""
    barrier = threading.Barrier(len(calls))

    def call(one: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return one()
        except (IntegrityError, VersionMoved, PointerCycle) as why:
            return why

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def won(outcomes: list[Any]) -> list[Outcome]:
    return [outcome for outcome in outcomes if isinstance(outcome, Outcome)]


def test_of_eight_writers_with_one_expected_version_exactly_one_wins(shop: Shop) -> None:
    key, elsewhere = captured(shop.crm), shop.another()
    outcomes = at_once(*(setter((shop.crm, elsewhere)[n % 2], key, n, if_match=1) for n in range(8)))
    assert len(won(outcomes)) == 1
    assert versions(shop, key) == [1, 2]
    assert all(one.version == 2 for one in outcomes if isinstance(one, VersionMoved))


def test_eight_writers_in_one_process_all_succeed_without_a_gap(shop: Shop) -> None:
    key = captured(shop.crm)
    outcomes = at_once(*(setter(shop.crm, key, n) for n in range(8)))
    assert sorted(one.version for one in outcomes) == list(range(2, 10))
    assert versions(shop, key) == list(range(1, 10))
    assert shop.rows("SELECT count(*) FROM index.refused") == [(0,)]


def colliding(shop: Shop, monkeypatch: pytest.MonkeyPatch, *calls: Callable[[], Any]) -> list[Any]:
    """The same, but each has appended before any of it is indexed: all but one must lose."""
    monkeypatch.setattr(recorder, "WAIT_SECONDS", 60.0)
    shop.stop_indexing()
    before = sum(shop.crm.log.ends(D).values())
    with ThreadPoolExecutor(1) as pool:
        outcomes = pool.submit(at_once, *calls)
        wait_until(lambda: sum(shop.crm.log.ends(D).values()) == before + len(calls), 30, what="every append")
        shop.index()
        return outcomes.result(60)


def test_what_is_lost_to_another_process_is_decided_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused attempts are known by their number; nobody's answer was for nothing."""
    key, elsewhere = captured(shop.crm), shop.another()
    outcomes = colliding(shop, monkeypatch, setter(shop.crm, key, 1), setter(elsewhere, key, 2, idempotency_key="two"))
    winner, loser = sorted(won(outcomes), key=lambda one: one.attempt)
    assert (winner.attempt, winner.version, winner.repeated) == (1, 2, False)
    assert (loser.attempt, loser.version, loser.repeated) == (2, 3, False)
    assert versions(shop, key) == [1, 2, 3]
    assert shop.rows("SELECT commit_id, attempt FROM index.refused") == [(loser.commit, 1)]
    assert shop.rows("SELECT commit_id, attempt FROM index.event WHERE version = 3") == [(loser.commit, 2)]


def test_with_an_expected_version_what_is_lost_is_not_decided_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    key, elsewhere = captured(shop.crm), shop.another()
    outcomes = colliding(shop, monkeypatch, setter(shop.crm, key, 1, if_match=1), setter(elsewhere, key, 2, if_match=1))
    assert len(won(outcomes)) == 1
    assert sum(isinstance(one, IntegrityError) for one in outcomes) == 1
    assert versions(shop, key) == [1, 2]


def test_after_three_lost_attempts_the_caller_is_told(shop: Shop) -> None:
    """Another writer, who does not ask, is first every time."""
    crm, key = shop.crm, captured(shop.crm)
    load = crm.handler.load
    numbers = iter(range(100))

    def load_then_lose(*arguments: Any) -> Any:
        loaded = load(*arguments)
        setter(elsewhere, key, next(numbers))()
        return loaded

    elsewhere = shop.another()
    crm.handler.load = load_then_lose  # type: ignore[method-assign]
    with pytest.raises(IntegrityError):
        setter(crm, key, 77, idempotency_key="one")()
    assert [attempt for (attempt,) in shop.rows("SELECT attempt FROM index.refused ORDER BY 1")] == [1, 2, 3]
    crm.handler.load = load  # type: ignore[method-assign]
    assert setter(crm, key, 77, idempotency_key="one")().attempt == 4


def test_two_operating_system_processes_race(shop: Shop) -> None:
    key = captured(shop.crm)
    with process(shop.settings, "tests.infra.writer", "change", str(key), "8", "AA") as one, \
         process(shop.settings, "tests.infra.writer", "change", str(key), "8", "BB") as two:  # fmt: skip
        for each in (one, two):
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in (one, two):
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        said = [line for each in (one, two) for line in each.communicate(timeout=60)[0].split()]
    assert len(said) == 16
    successes = [int(line) for line in said if line != "lost"]
    assert sorted(successes) == list(range(2, 2 + len(successes)))
    assert versions(shop, key) == list(range(1, 2 + len(successes)))


def test_of_two_merges_towards_each_other_one_is_accepted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they read stands in `reads`: each decided on a log without the other's."""
    elsewhere, a, b = shop.another(), captured(shop.crm), captured(shop.crm)
    outcomes = colliding(
        shop, monkeypatch,
        lambda: shop.crm.handle(POINTER, Merge(a, b), key=POINTERS, stream=a, actor=ACTOR),
        lambda: elsewhere.handle(POINTER, Merge(b, a), key=POINTERS, stream=b, actor=ACTOR),
    )  # fmt: skip
    assert len(won(outcomes)) == 1
    assert sum(isinstance(one, PointerCycle) for one in outcomes) == 1
    assert shop.rows("SELECT count(*) FROM index.event WHERE key = %s", POINTERS) == [(1,)]


def test_a_merge_is_refused_by_the_log_where_what_it_read_has_moved(shop: Shop) -> None:
    a, b = captured(shop.crm), captured(shop.crm)
    shop.crm.handle(POINTER, Merge(a, b), key=POINTERS, stream=a, actor=ACTOR)
    (record,) = [r for r in shop.records(D) if r.key == str(POINTERS).encode()]
    assert f'"reads":{{"{b}":0}}'.encode() in (record.value or b"")
