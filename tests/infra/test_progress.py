"""Who waits for the index is woken at once, and believes the checkpoints again after a lost connection."""

from __future__ import annotations

import time

from infra.log.contract import Position
from infra.progress import Progress
from tests.faults import wait_until
from tests.infra.crm import D, F, Shop


def moved(shop: Shop, offset: int) -> None:
    """As an indexer says it."""
    shop.rows("UPDATE index.checkpoint SET next_offset = %s WHERE topic = 'd' AND partition = 0", offset)
    shop.rows("SELECT pg_notify('index', %s)", f'{{"d":{{"0":{offset}}}}}')


def test_waiting_ends_when_every_position_was_passed(embedded_shop: Shop) -> None:
    shop = embedded_shop
    shop.stop_indexing()
    progress = shop.crm.progress
    positions = [Position(D, 0, 4), Position(D, 0, 6)]
    moved(shop, 6)
    assert not progress.wait_for(positions, 0.3)
    moved(shop, 7)
    started = time.monotonic()
    assert progress.wait_for(positions, 20)
    assert time.monotonic() - started < 10
    assert progress.next_offset(D, 0) == 7
    assert not progress.wait_for([*positions, Position(F, 1, 0)], 0.2)
    assert progress.wait_for([], 0)


def test_after_a_lost_connection_the_checkpoints_are_believed_even_where_they_went_back(embedded_shop: Shop) -> None:
    """A crash of PostgreSQL may lose what the index was told to have."""
    shop = embedded_shop
    shop.stop_indexing()
    forgotten: list[int] = []
    shop.crm.progress.on_erased(lambda: forgotten.append(1))
    moved(shop, 9)
    wait_until(lambda: shop.crm.progress.next_offset(D, 0) == 9)
    shop.rows("UPDATE index.checkpoint SET next_offset = 5 WHERE topic = 'd' AND partition = 0")
    listeners = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT topic, partition, next_offset%%'"
    )
    assert shop.rows(f"SELECT pg_terminate_backend(pid) FROM ({listeners}) listener")
    wait_until(lambda: shop.crm.progress.next_offset(D, 0) == 5)
    wait_until(lambda: forgotten, what="secrets to be forgotten: an erasure may have gone unheard")
    moved(shop, 6)
    assert shop.crm.progress.wait_for([Position(D, 0, 5)], 20)


def test_who_follows_is_called_until_it_ends(embedded_shop: Shop) -> None:
    shop = embedded_shop
    shop.stop_indexing()
    calls: list[int] = []
    end = shop.crm.progress.on_moved(lambda: calls.append(1))
    moved(shop, 1)
    wait_until(lambda: calls)
    end()
    end()
    before = len(calls)
    moved(shop, 2)
    wait_until(lambda: shop.crm.progress.next_offset(D, 0) == 2)
    assert len(calls) == before


def test_closing_takes_no_time(embedded_shop: Shop) -> None:
    progress = Progress(embedded_shop.dsn)
    started = time.monotonic()
    progress.close()
    assert time.monotonic() - started < 4
    assert not progress._thread.is_alive()
