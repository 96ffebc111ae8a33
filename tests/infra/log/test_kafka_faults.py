"""What a broker that pauses, dies or stops does to the log: nothing that was acknowledged is lost or doubled, and it goes on by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from infra.log.contract import LogUnreachable, Outgoing, Position, Record, Topic
from infra.log.kafka import KafkaLog
from infra.log.kafka_client import Cluster
from tests.faults import Broker, wait_until
from tests.infra.log.conftest import PARTITIONS

pytestmark = pytest.mark.kafka
D = Topic.DECISIONS


@contextmanager
def opened(broker: Broker, **options: int) -> Iterator[KafkaLog]:
    log = KafkaLog(Cluster((broker.address,), f"t{uuid4().hex[:10]}"), PARTITIONS, **options)
    try:
        log.check()
        yield log
    finally:
        log.close()


def read_all(log: KafkaLog) -> list[Record]:
    count = sum(log.ends(D).values())
    records: list[Record] = []
    with log.reader(D, dict.fromkeys(range(PARTITIONS[D]), 0)) as reader:
        wait_until(lambda: len(records) >= count or records.extend(reader.poll(1, 1000)), 20, what="all records")
    return records


@dataclass
class Writer:
    """Appends under one key, one record after the other, as commands do; goes on whatever happens."""

    log: KafkaLog
    stop: threading.Event
    key: bytes = field(default_factory=lambda: str(uuid4()).encode())
    sent: dict[bytes, Future[Position]] = field(default_factory=dict)
    refused: int = 0
    last_at: float = 0

    def run(self) -> None:
        number = 0
        while not self.stop.is_set():
            value = b"%s %d" % (self.key, number)
            number += 1
            try:
                (self.sent[value],) = self.log.append(D, [Outgoing(self.key, value)])
                self.sent[value].result(5)
                self.last_at = time.monotonic()
            except LogUnreachable:
                self.refused += 1
                self.stop.wait(0.1)
            except TimeoutError:
                pass  # as a command does: its outcome is open for now


def write_through(log: KafkaLog, hurt: Callable[[], None]) -> list[Writer]:
    """Six writers, while the broker is hurt and heals, and until each of them writes again."""
    stop = threading.Event()
    writers = [Writer(log, stop) for _ in range(6)]
    with ThreadPoolExecutor(len(writers)) as pool:
        running = [pool.submit(writer.run) for writer in writers]
        try:
            time.sleep(1)
            hurt()
            healed = time.monotonic()
            wait_until(lambda: all(writer.last_at > healed + 1 for writer in writers), 60, what="every writer to write again")
        finally:
            stop.set()
        for future in running:
            future.result(30)
    return writers


def require_exactly_what_was_acknowledged(log: KafkaLog, writers: list[Writer]) -> None:
    for future in (future for writer in writers for future in writer.sent.values()):
        assert future.exception(30) is None or isinstance(future.exception(), LogUnreachable)
    records = read_all(log)
    assert len({(r.partition, r.offset) for r in records}) == len(records)
    found: dict[bytes, list[Position]] = {}
    for r in sorted(records, key=lambda r: (r.partition, r.offset)):
        found.setdefault(r.value or b"", []).append(Position(D, r.partition, r.offset))
    for writer in writers:
        positions = [future.result() for future in writer.sent.values() if future.exception() is None]
        assert positions == sorted(positions), "records of one key stay in order"
        for value, future in writer.sent.items():
            if future.exception() is None:
                assert found.pop(value) == [future.result()]
            else:
                assert len(found.pop(value, [])) <= 1
    assert found == {}, "nothing is in the log that was not handed over"


def test_a_broker_that_pauses_under_writers_loses_and_doubles_nothing(own_broker: Broker) -> None:
    def hurt() -> None:
        own_broker.pause()
        time.sleep(10)
        own_broker.resume()

    with opened(own_broker) as log:
        writers = write_through(log, hurt)
        assert all(writer.refused for writer in writers), "while it was silent, nothing was handed over"
        require_exactly_what_was_acknowledged(log, writers)
        assert all(future.exception() is None for writer in writers for future in writer.sent.values()), "no fate was open for long"


def test_a_broker_that_is_killed_under_writers_loses_and_doubles_nothing(own_broker: Broker) -> None:
    def hurt() -> None:
        own_broker.kill()
        own_broker.restart()

    with opened(own_broker) as log:
        writers = write_through(log, hurt)
        require_exactly_what_was_acknowledged(log, writers)


def test_a_stopped_broker_is_noticed_before_anything_is_handed_over_and_its_return_by_the_same_log(own_broker: Broker) -> None:
    with opened(own_broker) as log, log.reader(D, {0: 0, 1: 0, 2: 0}) as reader:
        log.append(D, [Outgoing(b"key", b"before")])[0].result(10)
        wait_until(lambda: [r.value for r in reader.poll(1, 10)] == [b"before"], what="the reader")
        own_broker.stop()
        time.sleep(1.1)
        for bulk in (False, True):
            begin = time.monotonic()
            with pytest.raises(LogUnreachable, match=own_broker.address):
                log.append(D, [Outgoing(b"key", b"never")], bulk=bulk)
            assert time.monotonic() - begin < 3.5
        begin = time.monotonic()
        with pytest.raises(LogUnreachable, match=own_broker.address):
            reader.poll(0.5, 10)
        with pytest.raises(LogUnreachable, match=own_broker.address):
            log.ends(D)
        assert time.monotonic() - begin < 10
        own_broker.restart()
        log.append(D, [Outgoing(b"key", b"after")])[0].result(10)
        wait_until(lambda: [r.value for r in reader.poll(1, 10)] == [b"after"], what="the same reader")
        assert [r.value for r in read_all(log)] == [b"before", b"after"]


def test_a_paused_broker_is_noticed_by_a_reader(own_broker: Broker) -> None:
    with opened(own_broker) as log, log.reader(D, {0: 0, 1: 0, 2: 0}) as reader:
        assert reader.poll(0.2, 10) == []
        own_broker.pause()
        try:
            time.sleep(1.1)
            with pytest.raises(LogUnreachable, match=own_broker.address):
                reader.poll(0.2, 10)
        finally:
            own_broker.resume()
        log.append(D, [Outgoing(b"key", b"after")])[0].result(10)
        wait_until(lambda: [r.value for r in reader.poll(1, 10)] == [b"after"], what="the same reader")


@pytest.mark.parametrize("bulk", [False, True])
def test_a_producer_whose_batch_expired_is_replaced(own_broker: Broker, bulk: bool) -> None:
    with opened(own_broker, delivery_ms=3000) as log:
        log.append(D, [Outgoing(b"key", b"before")], bulk=bulk)[0].result(10)
        threads = {thread for thread in threading.enumerate() if "producer" in thread.name}
        own_broker.pause()
        try:
            open_ones = [log.append(D, [Outgoing(b"key", b"open %d" % n)], bulk=bulk)[0] for n in range(3)]
            for future in open_ones:
                with pytest.raises(LogUnreachable, match="fate is open"):
                    future.result(20)
        finally:
            own_broker.resume()
        begin = time.monotonic()
        wait_until(lambda: appended(log, b"after", bulk), what="a fresh producer")
        assert time.monotonic() - begin < 5
        values = [r.value for r in read_all(log)]
        assert values.count(b"before") == values.count(b"after") == 1
        assert all(values.count(b"open %d" % n) <= 1 for n in range(3))
        wait_until(lambda: not any(thread.is_alive() for thread in threads), 20, what="the end of the old producer")


def appended(log: KafkaLog, value: bytes, bulk: bool) -> bool:
    try:
        return log.append(D, [Outgoing(b"key", value)], bulk=bulk)[0].result(10).offset > 0
    except LogUnreachable:
        return False
