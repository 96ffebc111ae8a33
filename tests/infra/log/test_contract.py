"""What the contract promises, tried on both logs."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from infra.log.contract import (
    Log,
    LogError,
    LogMisconfigured,
    LogUnreachable,
    Outgoing,
    Position,
    Reader,
    Record,
    RecordTooLarge,
    Topic,
)
from infra.log.limits import HEADER_OVERHEAD
from infra.log.partition import partition_of
from tests.infra.log.conftest import PARTITIONS, Opening

ROOT = Path(__file__).parents[3]
D, F, K = Topic.DECISIONS, Topic.FACTS, Topic.KEYS


def key() -> bytes:
    return str(uuid4()).encode()


def from_start(log: Log, topic: Topic) -> Reader:
    return log.reader(topic, dict.fromkeys(range(log.partitions(topic)), 0))


def read(reader: Reader, count: int, seconds: float = 20) -> list[Record]:
    """Poll until `count` records came; fails if they do not, or if there is one more."""
    records: list[Record] = []
    deadline = time.monotonic() + seconds
    while len(records) < count and time.monotonic() < deadline:
        records += reader.poll(1, 1000)
    assert len(records) == count
    return records


def read_all(log: Log, topic: Topic) -> list[Record]:
    with from_start(log, topic) as reader:
        return read(reader, sum(log.ends(topic).values()))


def acknowledged(log: Log, topic: Topic, records: Iterable[Outgoing], *, bulk: bool = False) -> list[Position]:
    return [future.result(30) for future in log.append(topic, list(records), bulk=bulk)]


def in_order(records: list[Record]) -> dict[int, list[Record]]:
    """The records by partition; fails unless their offsets are 0, 1, 2, …"""
    found: dict[int, list[Record]] = {}
    for record in records:
        assert record.offset == len(found.setdefault(record.partition, []))
        found[record.partition].append(record)
    return found


ODD = [
    Outgoing(key(), b"{}"),
    Outgoing(key(), b""),
    Outgoing(key(), None),
    Outgoing(b"", b"an empty key"),
    Outgoing(bytes(range(256)), bytes(range(256)) * 5),
    Outgoing(key(), b"\\x00\\n\t\\.\n", (("content-type", b"application/json"), ("traceparent", b"00-ab-cd-01"))),
    Outgoing(key(), b"twice the same name", (("a", b"1"), ("a", b"2"), ("a", b"1"))),
    Outgoing(key(), b"odd names", (("", b""), ("\u0219\U0001f4de", b"\xff\x00"), ("empty", b""))),
    Outgoing(key(), bytes(100_000), (("large", bytes(70_000)),)),
]


@pytest.mark.parametrize("bulk", [False, True])
def test_what_was_appended_is_read_back_byte_for_byte(log: Log, bulk: bool) -> None:
    positions = acknowledged(log, D, ODD, bulk=bulk)
    found = {Position(D, r.partition, r.offset): r for r in read_all(log, D)}
    assert len(found) == len(ODD)
    for position, sent in zip(positions, ODD, strict=True):
        record = found[position]
        assert (record.topic, record.key, record.value, record.headers) == (D, sent.key, sent.value, sent.headers)
        assert type(record.value) in {bytes, type(None)}
        assert abs(record.timestamp / 1000 - time.time()) < 60


def test_positions_are_gapless_from_0_and_in_the_partition_of_the_key(log: Log) -> None:
    sent = [Outgoing(key(), b"%d" % n) for n in range(60)]
    for topic in (D, F):
        positions = acknowledged(log, topic, sent)
        following = dict.fromkeys(range(PARTITIONS[topic]), 0)
        for record, position in zip(sent, positions, strict=True):
            partition = partition_of(record.key, PARTITIONS[topic])
            assert position == Position(topic, partition, following[partition])
            following[partition] += 1
        assert log.ends(topic) == following
        assert log.partitions(topic) == PARTITIONS[topic]
    assert log.ends(K) == dict.fromkeys(range(8), 0)


def test_records_of_one_key_stay_in_the_order_given(log: Log) -> None:
    one = key()
    for part in range(4):
        acknowledged(log, F, [Outgoing(one, b"%d" % (part * 50 + n)) for n in range(50)], bulk=part % 2 == 1)
    assert [r.value for r in read_all(log, F)] == [b"%d" % n for n in range(200)]


def test_timestamps_never_decrease_within_a_partition(log: Log) -> None:
    for _ in range(5):
        acknowledged(log, D, [Outgoing(key(), b"x") for _ in range(10)])
    for records in in_order(read_all(log, D)).values():
        assert [r.timestamp for r in records] == sorted(r.timestamp for r in records)


def test_threads_append_at_once_and_every_acknowledged_record_is_there_once(log: Log) -> None:
    with ThreadPoolExecutor(8) as pool:
        sent = [[Outgoing(key(), b"%d %d" % (writer, n)) for n in range(40)] for writer in range(8)]
        one_by_one = [pool.submit(lambda some=some: [acknowledged(log, D, [one])[0] for one in some]) for some in sent[:4]]
        together = [pool.submit(acknowledged, log, D, some, bulk=True) for some in sent[4:]]
        positions = [position for future in one_by_one + together for position in future.result()]
    found = in_order(read_all(log, D))
    by_position = {Position(D, r.partition, r.offset): r.value for some in found.values() for r in some}
    assert by_position == dict(zip(positions, (one.value for some in sent for one in some), strict=True))


def test_two_processes_append_at_once(log: Log, where: tuple[str, str, str]) -> None:
    run = [sys.executable, "-m", "tests.infra.log.appender", *where]
    writers = [subprocess.Popen([*run, name, "150"], cwd=ROOT, stdout=subprocess.PIPE) for name in ("a", "b")]
    told = [line.split() for writer in writers for line in writer.communicate(timeout=60)[0].decode().splitlines()]
    assert [writer.returncode for writer in writers] == [0, 0]
    found = in_order(read_all(log, D))
    assert sorted(
        (str(Position(D, r.partition, r.offset)), r.value.decode()) for some in found.values() for r in some if r.value
    ) == sorted((position, value) for position, value in told)
    assert len(told) == 300


def test_a_log_opened_again_goes_on_where_it_was(log: Log, opening: Opening) -> None:
    first = [Outgoing(key(), b"first %d" % n) for n in range(30)]
    acknowledged(log, F, first)
    with from_start(log, F) as reader:
        read(reader, 30)
        ends = log.ends(F)
        log.close()
        again = opening()
        again.check()
        assert again.ends(F) == ends
        then = [Outgoing(key(), b"then %d" % n) for n in range(30)]
        positions = acknowledged(again, F, then)
        assert min(position.offset - ends[position.partition] for position in positions) == 0
        assert sorted(r.value or b"" for r in read(reader, 30)) == sorted(one.value for one in then)
    with again.reader(F, ends) as resumed:
        assert sorted(r.value or b"" for r in read(resumed, 30)) == sorted(one.value for one in then)
    in_order(read_all(again, F))


def test_a_closed_log_takes_nothing(log: Log) -> None:
    acknowledged(log, D, [Outgoing(key(), b"before")])
    log.close()
    log.close()
    for silence in (0, 1.1):
        time.sleep(silence)
        with pytest.raises(LogUnreachable, match="closed"):
            log.append(D, [Outgoing(key(), b"after")])


def test_closing_waits_for_what_was_handed_over(log: Log, opening: Opening) -> None:
    futures = log.append(F, [Outgoing(key(), b"x" * 400) for _ in range(3000)], bulk=True)
    log.close()
    assert all(future.done() and future.exception() is None for future in futures)
    assert sum(opening().ends(F).values()) == 3000


def test_a_waiting_reader_wakes_when_something_is_appended(log: Log) -> None:
    acknowledged(log, D, [Outgoing(key(), b"warm")])
    took = []
    with from_start(log, D) as reader:
        read(reader, 1)
        for _ in range(5):
            timer = threading.Timer(0.3, acknowledged, (log, D, [Outgoing(key(), b"ring")]))
            timer.start()
            begin = time.monotonic()
            assert [r.value for r in reader.poll(10, 10)] == [b"ring"]
            took.append(time.monotonic() - begin - 0.3)
            timer.join()
    assert min(took) < 0.3, "one of five may be slow on a busy machine, not all"


def test_a_poll_returns_in_time_when_there_is_nothing(log: Log) -> None:
    with from_start(log, D) as reader:
        reader.poll(0, 10)
        begin = time.monotonic()
        assert reader.poll(0.4, 10) == []
        assert 0.3 < time.monotonic() - begin < 3


def test_a_poll_returns_no_more_than_its_limit_and_neglects_no_partition(log: Log) -> None:
    acknowledged(log, F, [Outgoing(key(), b"%d" % n) for n in range(400)], bulk=True)
    with from_start(log, F) as reader:
        first = [record for _ in range(12) for record in reader.poll(5, 10)]
        assert len(first) == 120
        assert len(in_order(first)) > 1
        rest = read(reader, 280)
    assert sum(len(some) for some in in_order(first + rest).values()) == 400


def test_a_reader_follows_the_partitions_it_was_given_from_the_offsets_it_was_given(log: Log) -> None:
    acknowledged(log, D, [Outgoing(key(), b"x") for _ in range(60)])
    ends = log.ends(D)
    with log.reader(D, {0: ends[0] - 2, 2: 1}) as reader:
        found = read(reader, 2 + ends[2] - 1)
    assert [r.offset for r in found if r.partition == 0] == [ends[0] - 2, ends[0] - 1]
    assert [r.offset for r in found if r.partition == 2] == list(range(1, ends[2]))


def test_a_reader_of_what_the_log_does_not_hold_is_told_so(log: Log) -> None:
    acknowledged(log, D, [Outgoing(key(), b"x") for _ in range(10)])
    with log.reader(D, {0: 10_000}) as reader, pytest.raises(LogError, match="d0:10000"):
        read(reader, 1)


def test_a_record_over_the_limit_is_refused_before_anything_is_sent(log: Log, opening: Opening) -> None:
    assert log.max_record_bytes == 1 << 20
    small = opening(max_record_bytes=1000)
    fits = Outgoing(b"k" * 100, b"v" * (900 - 3 - HEADER_OVERHEAD), (("n", b"12"),))
    over = Outgoing(fits.key, fits.value + b"v", fits.headers)
    with pytest.raises(RecordTooLarge, match=r"1,001 bytes.* 1,000"):
        small.append(D, [fits, over])
    assert sum(log.ends(D).values()) == 0
    acknowledged(small, D, [fits])


def test_the_largest_records_come_back(log: Log) -> None:
    value = bytes(range(256)) * 4000
    headers = tuple((f"h{n:02}", b"") for n in range(60))
    largest = Outgoing(key(), value + bytes(log.max_record_bytes - len(value) - 36 - 60 * (3 + HEADER_OVERHEAD)), headers)
    positions = acknowledged(log, F, [largest] * 3) + acknowledged(log, F, [largest] * 3, bulk=True)
    assert [p.offset for p in positions] == list(range(6))
    assert all((r.value, r.headers) == (largest.value, headers) for r in read_all(log, F))


def test_a_header_without_a_value_is_refused_before_anything_is_sent(log: Log) -> None:
    with pytest.raises(ValueError, match="traceparent"):
        log.append(D, [Outgoing(key(), b"first"), Outgoing(key(), b"second", (("traceparent", None),))])
    assert sum(log.ends(D).values()) == 0


def test_many_small_headers_count_towards_the_limit(log: Log) -> None:
    with pytest.raises(RecordTooLarge):
        log.append(D, [Outgoing(key(), b"", tuple(("", b"") for _ in range(140_000)))])


def test_a_changed_partition_count_is_refused(log: Log, opening: Opening) -> None:
    for topic, letter in ((D, "decisions"), (F, "facts")):
        for count in (PARTITIONS[topic] - 1, PARTITIONS[topic] + 1):
            other = opening(partitions={**PARTITIONS, topic: count})
            with pytest.raises(LogMisconfigured, match=rf"{letter}.* {PARTITIONS[topic]} partitions.* {count}"):
                other.check()
            with pytest.raises(LogMisconfigured, match="partitions"):
                other.append(topic, [Outgoing(b"%d" % n, b"to a wrong partition") for n in range(20)])
    assert sum(log.ends(D).values()) + sum(log.ends(F).values()) == 0
    log.check()


def test_several_may_create_the_log_at_once(opening: Opening) -> None:
    logs = [opening() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(log.check) for log in logs]:
            future.result()
    acknowledged(logs[0], D, [Outgoing(key(), b"x")])
    assert sum(logs[3].ends(D).values()) == 1


def test_no_future_of_an_appended_record_can_be_cancelled(log: Log) -> None:
    (future,) = log.append(F, [Outgoing(key(), b"x")], bulk=True)
    assert not future.cancel()
    assert future.result(10).offset == 0
