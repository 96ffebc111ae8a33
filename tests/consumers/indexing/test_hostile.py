"""The table of hostile bytes through a real log and the real indexer, in between good commits, which must all be accepted."""

from __future__ import annotations

import orjson
import pytest

from consumers.indexing import indexer as indexing
from infra.log.contract import Topic
from infra.log.partition import partition_of
from tests.consumers.indexing.raw import Raw, append_raw
from tests.infra.codec.hostile import CASES, RECORD_KEY, Case, Verdict, envelope, stream
from tests.infra.crm import D, F, Shop

EVENT_COLUMNS = (
    "key, stream, version, partition, log_offset, place, type, schema, occurred_at, said_at, recorded_at, commit_id, actor, data"
)
REFUSED_COLUMNS = "partition, log_offset, commit_id, attempt, reason"


def records(cases: list[Case], partitions: int) -> list[Raw]:
    """Each case with a good commit before it, and one at the end."""
    home = partition_of(RECORD_KEY, partitions)
    found: list[Raw] = []
    for case in cases:
        found.append((home, RECORD_KEY, envelope(f"before {case.name}")))
        found.append(((home + 1) % partitions if case.misplaced else home, case.key, case.value))
    return [*found, (home, RECORD_KEY, envelope("at the end"))]


READABLE = [case for case in CASES if case.verdict is not Verdict.STOPS]


@pytest.mark.parametrize("topic", [D, F])
def test_every_hostile_record_is_judged_and_every_good_one_accepted(still_shop: Shop, topic: Topic) -> None:
    append_raw(still_shop.settings, topic, records(READABLE, still_shop.crm.log.partitions(topic)))
    still_shop.catch_up(topics=[topic])
    accepted = {str(row[0]) for row in still_shop.rows("SELECT stream FROM index.event")}
    expected = {str(stream(f"before {case.name}")) for case in READABLE} | {str(stream("at the end"))}
    expected |= {row_stream(case) for case in READABLE if case.verdict is Verdict.ACCEPTED}
    assert expected - accepted == set()
    assert accepted - expected == set()
    (refused,) = still_shop.rows("SELECT count(*) FROM index.refused")
    assert refused == (sum(case.verdict is not Verdict.ACCEPTED for case in READABLE),)


@pytest.mark.parametrize("topic", [D, F])
def test_the_index_holds_what_was_accepted_as_it_was(still_shop: Shop, topic: Topic) -> None:
    accepted = [case for case in READABLE if case.verdict is Verdict.ACCEPTED and case.name != "1024 deep"]
    append_raw(still_shop.settings, topic, records(accepted, still_shop.crm.log.partitions(topic)))
    still_shop.catch_up(topics=[topic])
    held = {str(key): rest for key, *rest in still_shop.rows("SELECT stream, actor, data FROM index.event WHERE place = 0")}
    for case in accepted:
        body = orjson.loads(case.value or b"")
        actor, data = held[row_stream(case)]
        assert orjson.loads(data) == body["events"][0].get("data"), case.name
        written = body.get("actor")
        assert actor == (written if type(written) is str and "\0" not in written else None), case.name


def row_stream(case: Case) -> str:
    """The stream that the case's commit begins with."""
    value = (case.value or b"").decode()
    return value.partition('"stream":"')[2][:36]


def test_the_batch_size_does_not_change_a_row(still_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One record at a time goes in by INSERT, thousands by COPY."""
    append_raw(still_shop.settings, F, records(READABLE, still_shop.crm.log.partitions(F)))
    still_shop.catch_up(topics=[F])
    whole = contents(still_shop)
    still_shop.rows("TRUNCATE index.event, index.refused")
    still_shop.rows("UPDATE index.checkpoint SET next_offset = DEFAULT, digest = DEFAULT, log_time = DEFAULT")
    monkeypatch.setattr(indexing, "BATCH_RECORDS", 7)
    still_shop.catch_up(topics=[F])
    assert contents(still_shop) == whole


def contents(shop: Shop) -> list[list[tuple[object, ...]]]:
    return [
        shop.rows(f"SELECT {EVENT_COLUMNS}, log_time FROM index.event ORDER BY partition, log_offset, place"),
        shop.rows(f"SELECT {REFUSED_COLUMNS}, log_time FROM index.refused ORDER BY partition, log_offset"),
        shop.rows("SELECT topic, partition, next_offset, digest, log_time FROM index.checkpoint ORDER BY 1, 2"),
    ]
