"""The projector is exact in effect, whoever folds beside it, whatever is made anew under it, and wherever it is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from eventsourcing.persistence import IntegrityError

from consumers.projecting import projector as projecting
from consumers.projecting.digests import table_digests
from consumers.projecting.schema import create_read_models, reset
from projections.customer import CUSTOMER
from projections.ledger import LEDGER
from projections.registry import PROJECTIONS
from projections.timeline import TIMELINE
from tests.consumers.projecting.reading import behind, contents, fold, from_zero, projector, read_models, wait_until_folded, write_history
from tests.faults import wait_until
from tests.infra.crm import Shop
from tests.infra.processes import process

SMALL_BATCH = 7


def test_batches_of_any_size_end_in_the_same_tables(embedded_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    write_history(embedded_shop, 80, seed=1)
    fold(embedded_shop)
    monkeypatch.setattr(projecting, "BATCH_OFFSETS", SMALL_BATCH)
    again = from_zero(embedded_shop)
    assert again == contents(embedded_shop)
    assert all(again[table.name] for projection in PROJECTIONS for table in projection.tables), "a table that nothing reached"


def test_all_partitions_advance_together(embedded_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    write_history(embedded_shop, 80, seed=1)
    read_models(embedded_shop)
    monkeypatch.setattr(projecting, "BATCH_OFFSETS", SMALL_BATCH)
    with projector(embedded_shop, TIMELINE) as one:
        assert one.step() == SMALL_BATCH
    offsets = [row[0] for row in embedded_shop.rows("SELECT next_offset FROM read.checkpoint WHERE projection = 'timeline'")]
    assert sorted(offsets) == [1, 1, 1, 2, 2]


def test_of_two_projectors_on_one_partition_one_gives_way(embedded_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    write_history(embedded_shop, 60, seed=2)
    read_models(embedded_shop)
    monkeypatch.setattr(projecting, "BATCH_OFFSETS", SMALL_BATCH)
    with projector(embedded_shop, LEDGER) as one, projector(embedded_shop, LEDGER) as other:
        assert other.step(until={}) == 0  # both have read where the checkpoints stand
        assert one.step() > 0
        with pytest.raises(IntegrityError):
            other.step()
        other.close()
        while other.step():
            pass
    assert contents(embedded_shop, [LEDGER]) == from_zero(embedded_shop, [LEDGER])


def test_two_projectors_that_race_count_nothing_twice(embedded_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    write_history(embedded_shop, 150, seed=3)
    read_models(embedded_shop)
    monkeypatch.setattr(projecting, "BATCH_OFFSETS", SMALL_BATCH)
    stop = threading.Event()
    racing = [projector(embedded_shop, LEDGER) for _ in range(2)]
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in racing]
    for thread in threads:
        thread.start()
    wait_until_folded(embedded_shop, [LEDGER])
    stop.set()
    for one, thread in zip(racing, threads, strict=True):
        one.moved.set()
        thread.join()
    assert contents(embedded_shop, [LEDGER]) == from_zero(embedded_shop, [LEDGER])


def running(shop: Shop) -> Callable[[], None]:
    """Projectors in threads; call what is returned to stop them."""
    stop = threading.Event()
    all_of_them = [projector(shop, projection, lease=True) for projection in PROJECTIONS]
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in all_of_them]
    for thread in threads:
        thread.start()

    def end() -> None:
        stop.set()
        for one, thread in zip(all_of_them, threads, strict=True):
            one.moved.set()
            thread.join()

    return end


def test_a_rebuild_under_running_projectors_gives_the_same_digests(embedded_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projecting, "BATCH_OFFSETS", SMALL_BATCH)
    write_history(embedded_shop, 80, seed=4)
    read_models(embedded_shop)
    end = running(embedded_shop)
    try:
        wait_until_folded(embedded_shop)
        before = _digests(embedded_shop)
        for projection in [*PROJECTIONS, *PROJECTIONS]:
            with embedded_shop.crm.pool.transaction() as cursor:
                reset(cursor, projection)
        assert behind(embedded_shop) > 0
        wait_until_folded(embedded_shop)
        assert _digests(embedded_shop) == before
    finally:
        end()


def _digests(shop: Shop) -> dict[str, object]:
    with shop.crm.pool.transaction() as cursor:
        return {name: digest for one in PROJECTIONS for name, digest in table_digests(cursor, "read", one).items()}


def test_readers_see_the_old_rows_until_a_rebuild_has_begun_and_never_wait(embedded_shop: Shop) -> None:
    write_history(embedded_shop, 40, seed=5)
    fold(embedded_shop)
    before = contents(embedded_shop, [CUSTOMER])
    with embedded_shop.crm.pool.transaction() as cursor:
        reset(cursor, CUSTOMER)
        embedded_shop.rows("SET LOCAL lock_timeout = '1s'; SELECT count(*) FROM read.customer")
        assert contents(embedded_shop, [CUSTOMER]) == before


def test_a_projection_that_changed_is_made_anew_at_start(embedded_shop: Shop) -> None:
    write_history(embedded_shop, 40, seed=6)
    fold(embedded_shop)
    before = contents(embedded_shop)
    changed = replace(LEDGER, version=LEDGER.version + 1)
    read_models(embedded_shop, [changed])
    assert embedded_shop.rows("SELECT count(*) FROM read.ledger_entry") == [(0,)]
    assert embedded_shop.rows("SELECT max(next_offset) FROM read.checkpoint WHERE projection = 'ledger'") == [(0,)]
    with projector(embedded_shop, LEDGER) as outdated:
        assert outdated.step() == 0, "yesterday's code must not fold into today's tables"
    fold(embedded_shop, [changed])
    assert contents(embedded_shop) == before


def test_what_did_not_change_is_left_alone_at_start(embedded_shop: Shop) -> None:
    """No lock is taken on its tables either: a process that starts must not wait for a projector, nor make it wait."""
    fold(embedded_shop)
    with embedded_shop.crm.pool.transaction() as cursor:
        cursor.execute("LOCK TABLE read.ledger_entry IN ROW EXCLUSIVE MODE")
        with embedded_shop.crm.pool.transaction() as starting:
            starting.execute("SET LOCAL lock_timeout = '1s'")
            create_read_models(starting, embedded_shop.crm.log, PROJECTIONS)


def test_a_projector_takes_the_partitions_that_nobody_holds(embedded_shop: Shop) -> None:
    write_history(embedded_shop, 60, seed=7)
    read_models(embedded_shop)
    with projector(embedded_shop, LEDGER, lease=True) as one:
        one.wanted = {"f0", "d0", "d1"}
        one.step()
        with projector(embedded_shop, LEDGER, lease=True) as other:
            while other.step():
                pass
            assert set(other._at) == {"f1", "f2"}
            one.close()
            other._checked_leases = 0.0
            while other.step():
                pass
    assert contents(embedded_shop, [LEDGER]) == from_zero(embedded_shop, [LEDGER])


def test_the_partitions_of_a_killed_process_fall_to_another(embedded_shop: Shop) -> None:
    write_history(embedded_shop, 40, seed=8)
    read_models(embedded_shop)
    with process(embedded_shop.settings, "consumers", "project") as first:
        wait_until_folded(embedded_shop)
        with process(embedded_shop.settings, "consumers", "project"):
            wait_until(lambda: _waiting_processes(embedded_shop) == 2, 30, what="the second process")
            first.kill()
            first.wait()
            _one_more(embedded_shop)
            wait_until_folded(embedded_shop)
    assert contents(embedded_shop) == from_zero(embedded_shop)


def _waiting_processes(shop: Shop) -> int:
    """How many processes listen for the index to move, besides the test's own."""
    ((count,),) = shop.rows(
        "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN index%%' OR"
        " (datname = current_database() AND query LIKE 'SELECT topic, partition, next_offset FROM index.checkpoint')"
    )
    return int(count)


def _one_more(shop: Shop) -> None:
    from tests.infra.people import ANA, capture

    capture(shop.crm, ANA)
    shop.indexed()


def test_killed_at_any_moment_nothing_is_lost_and_nothing_counted_twice(embedded_shop: Shop) -> None:
    """Processes are killed as hard as can be while they fold; what the last one leaves is what one projector makes from zero."""
    write_history(embedded_shop, 400, seed=9)
    read_models(embedded_shop)
    r, kills = Random(9), 0
    while kills < 5:
        left = behind(embedded_shop)
        with process(embedded_shop.settings, "tests.consumers.projecting.small_batches") as folding:
            wait_until(lambda at=left: behind(embedded_shop) < at, 30, what="a batch to be folded")  # type: ignore[misc]
            time.sleep(r.uniform(0, 0.3))
            folding.kill()
            folding.wait()
        kills += 1
        assert behind(embedded_shop) > 0, "killed too late to prove anything"
    fold(embedded_shop)
    assert contents(embedded_shop) == from_zero(embedded_shop)
