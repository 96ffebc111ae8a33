"""The indexer beside others of its kind, before records of the future, and after its index was thrown away."""

from __future__ import annotations

import time
from random import Random
from threading import Event, Thread
from typing import Any

import pytest

from consumers.indexing import indexer as indexing
from consumers.indexing.indexer import Indexer
from consumers.indexing.progress import Superseded
from infra.codec.envelope import Envelope, read_envelope
from infra.log.contract import Outgoing
from infra.postgres.schema import create_index
from tests.consumers.indexing.test_batches import read_again, tables
from tests.faults import wait_until
from tests.infra.codec.hostile import envelope, event
from tests.infra.crm import D, F, K, Shop, key_in
from tests.infra.history import Writers, outgoing
from tests.infra.processes import indexing_process


def record(partitions: int, partition: int, *, number: int = 1) -> Outgoing:
    """A good commit of this format, or one of format `number`, in this partition."""
    key = str(key_in(partitions, partition))
    value = envelope(key, key=f'"{key}"', format=str(number), events=f"[{event(key)}]")
    return Outgoing(key.encode(), value)


def upgraded(value: bytes | None, key: bytes | None) -> Envelope:
    """A reader of a later version, to which format 2 is as format 1."""
    return read_envelope((value or b"").replace(b'"format":2', b'"format":1'), key)


def stopped(shop: Shop) -> dict[tuple[str, int], str]:
    return {
        (topic, p): why for topic, p, why in shop.rows("SELECT topic, partition, stopped FROM index.checkpoint WHERE stopped IS NOT NULL")
    }


def indexed(shop: Shop) -> dict[int, list[int]]:
    """The offsets of decisions in the index, by partition."""
    found: dict[int, list[int]] = {}
    for partition, offset in shop.rows("SELECT partition, log_offset FROM index.event WHERE topic = 'd' ORDER BY 1, 2"):
        found.setdefault(partition, []).append(offset)
    return found


def test_a_higher_format_stops_its_partition_alone_until_the_software_is_upgraded(
    still_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = still_shop
    shop.append(D, record(2, 0), record(2, 0, number=2), record(2, 0), record(2, 1))
    indexer = Indexer(shop.dsn, shop.crm.log, D)
    wait_until(lambda: indexer.step(0.1) == 0 and stopped(shop) and shop.offset(D, 1) == 1)
    assert stopped(shop) == {("d", 0): "format 2 at d0:1: upgrade Annals to read on"}
    shop.append(D, record(2, 0), record(2, 1))
    wait_until(lambda: indexer.step(0.1) == 0 and shop.offset(D, 1) == 2)
    assert indexed(shop) == {0: [0], 1: [0, 1]}
    indexer.close()

    with Indexer(shop.dsn, shop.crm.log, D) as restarted:  # the same software says so again
        wait_until(lambda: restarted.step(0.1) == 0 and restarted.wanted == {1})
    assert shop.offset(D, 0) == 1
    assert list(stopped(shop)) == [("d", 0)]

    monkeypatch.setattr(indexing, "read_envelope", upgraded)
    shop.catch_up(topics=[D])
    assert stopped(shop) == {}
    assert indexed(shop) == {0: [0, 1, 2, 3], 1: [0, 1]}


def test_the_second_of_two_indexers_gives_way(still_shop: Shop) -> None:
    shop = still_shop
    first, second = (Indexer(shop.dsn, shop.crm.log, D, lease=False) for _ in range(2))
    with first, second:
        first.step(0)
        second.step(0)
        shop.append(D, record(2, 0))
        wait_until(lambda: first.step(0.2) == 1)
        with pytest.raises(Superseded):
            wait_until(lambda: second.step(0.2))
    assert indexed(shop) == {0: [0]}
    assert shop.offset(D, 0) == 1


def test_indexers_that_race_without_leases_lose_nothing_and_double_nothing(still_shop: Shop) -> None:
    shop = still_shop
    stop = Event()
    threads = [Thread(target=Indexer(shop.dsn, shop.crm.log, topic, lease=False).run, args=(stop,)) for topic in (D, F) for _ in range(2)]
    for thread in threads:
        thread.start()
    random = Random(7)
    for _ in range(10):
        for topic in (D, F):
            shop.append(topic, *map(outgoing, Writers(random, topic is D).history(8)))
    shop.indexed()
    stop.set()
    for thread in threads:
        thread.join()
    assert read_again(shop, "again", [D, F]) == tables(shop, "index")


def test_a_partition_is_read_by_one_and_falls_to_the_other_when_its_process_is_killed(still_shop: Shop) -> None:
    shop = still_shop
    with indexing_process(shop.settings, D) as worker:
        shop.append(D, record(2, 0), record(2, 1))
        wait_until(lambda: shop.offset(D, 0) == shop.offset(D, 1) == 1, 30)
        with Indexer(shop.dsn, shop.crm.log, D) as idle:
            for _ in range(3):
                assert idle.step(0.5) == 0
            shop.append(D, record(2, 0))
            wait_until(lambda: shop.offset(D, 0) == 2)
            assert idle.step(0) == 0
            worker.kill()
            worker.wait()
            shop.append(D, record(2, 0), record(2, 1))
            killed_at = time.monotonic()
            wait_until(lambda: idle.step(0.1) + 1 and shop.offset(D, 0) == 3 and shop.offset(D, 1) == 2, 30)
            assert time.monotonic() - killed_at < 15
    assert indexed(shop) == {0: [0, 1, 2], 1: [0, 1]}


def test_several_share_a_topic_by_partitions(still_shop: Shop) -> None:
    shop = still_shop
    one, two = Indexer(shop.dsn, shop.crm.log, D, partitions=[0]), Indexer(shop.dsn, shop.crm.log, D, partitions=[1])
    shop.append(D, record(2, 0), record(2, 1), record(2, 1))
    with one, two:
        wait_until(lambda: one.step(0.1) + two.step(0.1) >= 0 and indexed(shop) == {0: [0], 1: [0, 1]})


def test_an_index_thrown_away_comes_back_the_same(still_shop: Shop) -> None:
    shop = still_shop
    shop.index()
    random = Random(9)
    for topic in (D, F):
        shop.append(topic, *map(outgoing, Writers(random, topic is D).history(80)))
    shop.crm.keyring.for_owners([key_in(1, 0), erased := key_in(1, 0)])
    shop.crm.keyring.erase(erased)
    shop.indexed()
    shop.stop_indexing()
    before = everything(shop)
    shop.rows("DROP SCHEMA index CASCADE")
    with shop.crm.pool.transaction() as cursor:
        create_index(cursor, shop.crm.log)
    shop.catch_up(topics=[F, K, D])
    assert everything(shop) == before


def everything(shop: Shop) -> dict[str, list[tuple[Any, ...]]]:
    keys = {
        "encryption_key": shop.rows("SELECT id, owner, encode(wrapped, 'hex') FROM index.encryption_key ORDER BY 1"),
        "erased_owner": shop.rows("SELECT * FROM index.erased_owner ORDER BY 1"),
    }
    found = tables(shop, "index") | keys
    found["checkpoint"] = [row for row in found["checkpoint"] if row[0] != "k"]  # crm.keys are compacted: its digest is not repeatable
    return found
