"""The embedded log alone: its server going away, its counters, its compacted keys, and what a bad restore looks like."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import psycopg2
import pytest

from infra.log.contract import Log, LogError, LogMisconfigured, LogUnreachable, Outgoing, Position, Reader, Record, Topic
from infra.log.embedded import EmbeddedLog
from infra.postgres.connection import Cursor, connect
from infra.postgres.server import EmbeddedServer, open_server
from tests.faults import wait_until
from tests.infra.log.conftest import PARTITIONS

D, F, K = Topic.DECISIONS, Topic.FACTS, Topic.KEYS


def outgoing(value: bytes = b"x", key: bytes | None = None) -> Outgoing:
    return Outgoing(key or str(uuid4()).encode(), value)


def append(log: Log, topic: Topic, *records: Outgoing) -> list[Position]:
    return [future.result(30) for future in log.append(topic, records)]


def from_start(log: Log, topic: Topic) -> Reader:
    return log.reader(topic, dict.fromkeys(range(log.partitions(topic)), 0))


def read_all(log: Log, topic: Topic) -> list[Record]:
    with from_start(log, topic) as reader:
        records: list[Record] = []
        while more := reader.poll(0, 1000):
            records += more
    return records


@contextmanager
def executing(dsn: str) -> Iterator[Cursor]:
    """A cursor in a transaction of its own, committed at the end."""
    connection = connect(dsn, autocommit=False)
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@contextmanager
def opened(dsn: str) -> Iterator[EmbeddedLog]:
    log = EmbeddedLog(dsn, PARTITIONS)
    try:
        log.check()
        yield log
    finally:
        log.close()


@pytest.fixture
def log(dsn: str) -> Iterator[EmbeddedLog]:
    with opened(dsn) as log:
        yield log


@pytest.fixture(scope="module")
def own_server() -> Iterator[EmbeddedServer]:
    """A server that tests may kill. It waits for the disk, as the session's does not."""
    folder = Path(mkdtemp(prefix="annals-log-"))
    try:
        with open_server(folder, say=print) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def kill(server: EmbeddedServer, how: signal.Signals) -> Callable[[], None]:
    """End the server; what is returned starts it again."""
    os.kill(server.pid, how)
    wait_until(lambda: not answers(server.dsn), what="the server's end")
    return server.ensure_running


def answers(dsn: str) -> bool:
    try:
        connect(dsn).close()
    except psycopg2.OperationalError:
        return False
    return True


@contextmanager
def paused(dsn: str, query: str) -> Iterator[None]:
    """Stop the one process of the server that serves the connection whose last query is like this."""
    with executing(dsn) as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE %s AND pid <> pg_backend_pid()", (query,)
        )
        ((pid,),) = cursor.fetchall()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def end_waiting_writer(dsn: str) -> bool:
    """End the one connection that has begun a transaction and waits; False if there is none yet."""
    with executing(dsn) as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE 'BEGIN%EXECUTE hold%' AND wait_event_type = 'Lock' AND datname = current_database()"
        )
        return cursor.fetchall() == [(True,)]


def test_reader_and_log_survive_a_restart_of_postgresql(own_server: EmbeddedServer) -> None:
    with opened(own_server.dsn) as log, log.reader(D, log.ends(D)) as reader:
        append(log, D, outgoing(b"before"))
        assert [r.value for r in reader.poll(10, 10)] == [b"before"]
        restart = kill(own_server, signal.SIGINT)
        begin = time.monotonic()
        for _ in range(2):
            with pytest.raises(LogUnreachable):
                reader.poll(5, 10)
        time.sleep(1.1)  # until the last answer is old
        with pytest.raises(LogUnreachable, match="did not answer"):
            log.append(D, [outgoing(b"never handed over")])
        with pytest.raises(LogUnreachable):
            log.ends(D)
        assert time.monotonic() - begin < 6
        restart()
        append(log, D, outgoing(b"after"))
        assert [r.value for r in reader.poll(10, 10)] == [b"after"]
        assert sum(log.ends(D).values()) == len(read_all(log, D))


def test_a_restart_that_nobody_noticed_costs_nothing(own_server: EmbeddedServer) -> None:
    with opened(own_server.dsn) as log:
        append(log, D, outgoing(b"before"))
        log.ends(D)
        kill(own_server, signal.SIGINT)()
        time.sleep(1.1)  # longer than an answer is believed
        append(log, D, outgoing(b"after"))
        assert sum(log.ends(D).values()) == len(read_all(log, D))


def test_what_was_acknowledged_survives_a_kill(own_server: EmbeddedServer) -> None:
    with opened(own_server.dsn) as log:
        positions = [append(log, D, outgoing(b"%d" % n))[0] for n in range(30)]
        kill(own_server, signal.SIGKILL)()
        found = {Position(D, r.partition, r.offset): r.value for r in read_all(log, D)}
        assert [found[position] for position in positions] == [b"%d" % n for n in range(30)]


def test_a_record_that_was_under_way_when_the_connection_broke_is_told_to_be_open(log: EmbeddedLog, dsn: str) -> None:
    append(log, D, outgoing())
    rival = connect(dsn, autocommit=False)
    with rival.cursor() as cursor:
        cursor.execute("SELECT FROM log.partition FOR UPDATE")
        (future,) = log.append(D, [outgoing(b"under way")])
        wait_until(lambda: end_waiting_writer(dsn), what="the writer to wait for the rival")
        with pytest.raises(LogUnreachable, match="open"):
            future.result(10)
    rival.close()
    append(log, D, outgoing(b"next"))
    assert sorted(r.value or b"" for r in read_all(log, D)) == [b"next", b"x"]


def test_a_postgresql_that_is_silent_is_noticed_before_anything_is_handed_over(log: EmbeddedLog, dsn: str) -> None:
    append(log, D, outgoing(b"before"))
    with paused(dsn, "COMMIT; NOTIFY log_decisions"):
        time.sleep(1.1)
        begin = time.monotonic()
        with pytest.raises(LogUnreachable, match="nothing was handed over"):
            log.append(D, [outgoing(b"never")])
        assert 1.9 < time.monotonic() - begin < 3.5
    append(log, D, outgoing(b"after"))
    assert sorted(r.value or b"" for r in read_all(log, D)) == [b"after", b"before"]


def test_who_comes_later_gets_no_offset_before_the_first_has_committed(log: EmbeddedLog, dsn: str) -> None:
    record = outgoing()
    (first,) = append(log, D, record)
    rival = connect(dsn, autocommit=False)
    with rival.cursor() as cursor:
        cursor.execute("UPDATE log.partition SET next = next + 1 WHERE topic = 'decisions' AND partition = %s", (first.partition,))
        (future,) = log.append(D, [record])
        with pytest.raises(TimeoutError):
            future.result(0.5)
        assert len(read_all(log, D)) == 1
        rival.rollback()
    rival.close()
    assert future.result(10).offset == 1


def test_a_bulk_append_does_not_delay_a_prompt_one_nor_a_decision(log: EmbeddedLog) -> None:
    bulk = log.append(F, [outgoing(bytes(400)) for _ in range(30_000)], bulk=True)
    append(log, F, outgoing(b"ring"))
    append(log, D, outgoing(b"decide"))
    assert not bulk[-1].done()
    bulk[-1].result(30)


def test_times_never_go_back_even_if_the_clock_does(log: EmbeddedLog, dsn: str) -> None:
    later = int((time.time() + 3600) * 1000)
    with executing(dsn) as cursor:
        cursor.execute("UPDATE log.partition SET time = %s", (later,))
    append(log, D, *(outgoing() for _ in range(20)))
    assert {r.timestamp for r in read_all(log, D)} == {later}


def test_of_the_records_of_one_record_key_the_last_stays(log: EmbeddedLog) -> None:
    one, two = b"0000", b"1111"
    positions = append(log, K, outgoing(b"a", one), outgoing(b"b", two), outgoing(b"c", one))
    assert {r.value for r in read_all(log, K)} == {b"b", b"c"}
    (last,) = append(log, K, outgoing(b"d", one))
    assert {(r.value, r.key) for r in read_all(log, K)} == {(b"b", two), (b"d", one)}
    assert last.offset == [p for p in positions if p.partition == last.partition][-1].offset + 1
    assert log.ends(K)[last.partition] == last.offset + 1
    log.check()


def test_a_reader_of_the_keys_passes_over_what_was_replaced(log: EmbeddedLog) -> None:
    append(log, K, outgoing(b"a", b"key"))
    with from_start(log, K) as reader:
        assert [r.value for r in reader.poll(5, 10)] == [b"a"]
        for value in (b"b", b"c"):
            append(log, K, outgoing(value, b"key"))
        assert [r.value for r in reader.poll(5, 10)] == [b"c"]


def test_every_partition_has_its_turn(log: EmbeddedLog) -> None:
    append(log, F, *(outgoing() for _ in range(400)))
    with from_start(log, F) as reader:
        turns = [{r.partition for r in reader.poll(0, 10)} for _ in range(8)]
    assert set().union(*turns[:4]) == set().union(*turns[4:]) == {0, 1, 2, 3}


def test_a_poll_takes_some_megabytes_at_most_and_always_one_record(log: EmbeddedLog) -> None:
    append(log, F, *(outgoing(bytes(1_000_000), b"key") for _ in range(15)))
    with from_start(log, F) as reader:
        counts = []
        while records := reader.poll(0, 1000):
            counts.append(len(records))
    assert sum(counts) == 15
    assert max(counts) == 5


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ('DELETE FROM log.decisions WHERE "offset" = 0', "begins at d[0-2]:1"),
        ('DELETE FROM log.decisions WHERE "offset" >= 3', "last record is d[0-2]:2"),
        ("DELETE FROM log.decisions", "no records"),
        ("UPDATE log.partition SET next = 1", "last record"),
        ("UPDATE keys.partition SET next = 0", "last record is k"),
    ],
)
def test_a_restore_that_is_not_whole_is_refused(log: EmbeddedLog, dsn: str, damage: str, sentence: str) -> None:
    append(log, D, *(outgoing() for _ in range(40)))
    append(log, K, outgoing())
    log.check()
    with executing(dsn) as cursor:
        cursor.execute(damage)
    with pytest.raises(LogMisconfigured, match=sentence):
        log.check()


def test_a_reader_stops_at_a_lost_record_and_loses_none_before_it(log: EmbeddedLog, dsn: str) -> None:
    append(log, D, *(outgoing(b"%d" % n, b"key") for n in range(10)))
    with executing(dsn) as cursor:
        cursor.execute('DELETE FROM log.decisions WHERE "offset" = 4')
    with from_start(log, D) as reader:
        assert [r.value for r in reader.poll(1, 100)] == [b"0", b"1", b"2", b"3"]
        with pytest.raises(LogError, match=r"lost d\d:4"):
            reader.poll(1, 100)


def test_an_append_before_the_tables_exist_says_so(dsn: str) -> None:
    log = EmbeddedLog(dsn, PARTITIONS)
    with pytest.raises(LogMisconfigured, match="tables are missing"):
        log.append(D, [outgoing()])
    log.check()
    append(log, D, outgoing())
    log.close()


def test_a_wrong_address_is_told_at_once() -> None:
    log = EmbeddedLog("host=/nowhere/at/all dbname=annals", PARTITIONS)
    begin = time.monotonic()
    for attempt in (log.check, lambda: log.append(D, [outgoing()]), lambda: log.ends(D), lambda: from_start(log, D).poll(1, 1)):
        with pytest.raises(LogUnreachable, match="/nowhere/at/all"):
            attempt()
    assert time.monotonic() - begin < 3
    log.close()
