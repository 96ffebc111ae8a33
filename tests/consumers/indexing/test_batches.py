"""The same log gives the same index, however often and in whatever batches it is read, and as the naive rule says."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from consumers.indexing import indexer as indexing
from infra.log.contract import Topic
from infra.log.partition import partition_of
from infra.postgres.schema import create_index
from tests.infra.crm import D, F, Shop
from tests.infra.history import Commit, Writers, outgoing, verdicts


def history(random: Random, topic: Topic) -> list[Commit]:
    """Few streams that everybody writes, then many that are recorded once, as facts are, with some that were there before."""
    crowded = Writers(random, topic is D, keys=4).history(60)
    sparse = Writers(random, topic is D, keys=60, streams=2).history(60)
    first = [one for one in sparse if all(event["version"] == 1 for event in one["events"])]
    return [*first[:30], *crowded, *sparse, *first[15:]]


def tables(shop: Shop, schema: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that the index says, but for when it was read."""
    return {
        "event": shop.rows(f'SELECT * FROM "{schema}".event ORDER BY topic, partition, log_offset, place'),
        "refused": shop.rows(f'SELECT * FROM "{schema}".refused ORDER BY topic, partition, log_offset'),
        "checkpoint": shop.rows(
            f"SELECT topic, partition, next_offset, encode(digest, 'hex'), log_time, stopped FROM \"{schema}\".checkpoint ORDER BY 1, 2"
        ),
    }


def read_again(shop: Shop, schema: str, topics: list[Topic]) -> dict[str, list[tuple[Any, ...]]]:
    with shop.crm.pool.transaction() as cursor:
        create_index(cursor, shop.crm.log, schema)
    shop.catch_up(schema, topics)
    return tables(shop, schema)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 30))])
def test_batches_and_the_order_of_topics_change_nothing(still_shop: Shop, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """The two topics share keys and streams here, which no honest writer's do: each is judged by its own past alone."""
    random = Random(seed)
    for topic in (D, F):
        still_shop.append(topic, *map(outgoing, history(random, topic)))
    whole = read_again(still_shop, "whole", [D, F])
    for number, topics in enumerate(([F, D], [D, F], [F, D])):
        monkeypatch.setattr(indexing, "BATCH_RECORDS", [2, 7, 50][number])
        assert read_again(still_shop, f"again{number}", topics) == whole


@pytest.mark.parametrize("topic", [D, F])
def test_the_index_is_as_the_naive_rule_says(still_shop: Shop, monkeypatch: pytest.MonkeyPatch, topic: Topic) -> None:
    monkeypatch.setattr(indexing, "BATCH_RECORDS", 11)
    log = history(Random(3), topic)
    still_shop.append(topic, *map(outgoing, log))
    still_shop.catch_up(topics=[topic])
    accepted = set(still_shop.rows("SELECT DISTINCT partition, log_offset FROM index.event"))
    refused = set(still_shop.rows("SELECT partition, log_offset FROM index.refused"))
    for partition in range(still_shop.crm.log.partitions(topic)):
        mine = [one for one in log if partition_of(one["key"].encode(), still_shop.crm.log.partitions(topic)) == partition]
        expected = verdicts(mine, decisions=topic is D)
        assert {offset for p, offset in accepted if p == partition} == {offset for offset, verdict in enumerate(expected) if verdict}
        assert {offset for p, offset in refused if p == partition} == {offset for offset, verdict in enumerate(expected) if not verdict}


def test_first_recordings_are_copied_blindly_and_nothing_else_is(embedded_shop: Shop) -> None:
    """A fact that was there is refused, whatever batch it is in, and the others of its batch are recorded."""
    embedded_shop.stop_indexing()
    facts = [one for one in Writers(Random(5), decisions=False, keys=2000, streams=1).history(300) if one["attempt"] == 1]
    firsts = [one for one in facts if not one["reads"] and [event["version"] for event in one["events"]] == [1]]
    distinct = list({one["key"]: one for one in firsts}.values())
    assert len(distinct) > 60
    embedded_shop.append(F, *map(outgoing, distinct[:60]))
    embedded_shop.catch_up(topics=[F])
    embedded_shop.append(F, *map(outgoing, [*distinct[55:], *distinct[60:]]))
    embedded_shop.catch_up(topics=[F])
    assert embedded_shop.rows("SELECT count(*) FROM index.event") == [(len(distinct),)]
    assert embedded_shop.rows("SELECT count(*) FROM index.refused") == [(5 + len(distinct[60:]),)]
