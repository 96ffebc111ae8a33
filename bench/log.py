"""How fast both logs append and read, beside the bare COPY and the bare kafka-python producer in the same run.

    python -m bench.log [--records 60000] [--seconds 3]

Starts a PostgreSQL (which waits for the disk) and a Kafka broker of its own; prints one JSON line a figure. Only the ratios count:
the same machine is twice as fast a minute later.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from kafka import KafkaProducer

from bench._ports import free_port
from infra import broker
from infra.log.contract import Log, Outgoing, Topic
from infra.log.embedded import EmbeddedLog
from infra.log.embedded_writer import row_of
from infra.log.kafka import BATCH_BYTES, KafkaLog
from infra.log.kafka_client import Cluster
from infra.log.partition import partition_of
from infra.postgres.connection import connect
from infra.postgres.server import open_server

PARTITIONS = {Topic.DECISIONS: 4, Topic.FACTS: 8, Topic.KEYS: 8}
HEADERS = (("content-type", b"application/json"),)
Send = Callable[[Outgoing], object]
"""Appends one record and waits for it."""


def record() -> Outgoing:
    """A fact of 400 bytes."""
    return Outgoing(str(uuid4()).encode(), os.urandom(200).hex().encode(), HEADERS)


def say(what: str, **figures: Any) -> None:
    print(json.dumps({"what": what, **figures}), flush=True)


def waiting(writers: int, seconds: float, sender: Callable[[], Send]) -> tuple[float, list[float]]:
    """Records a second, and the sorted milliseconds of each, of this many writers that wait for every record."""
    records = [record() for _ in range(500)]

    def one(_: int) -> list[float]:
        send = sender()
        took: list[float] = []
        end = time.perf_counter() + seconds
        while (begin := time.perf_counter()) < end:
            send(records[len(took) % len(records)])
            took.append((time.perf_counter() - begin) * 1000)
        return took

    with ThreadPoolExecutor(writers) as pool:
        took = sorted(ms for some in pool.map(one, range(writers)) for ms in some)
    return len(took) / seconds, took


def compare_waiting(name: str, seconds: float, ours: Callable[[], Send], bare: Callable[[], Send]) -> None:
    """Writers that wait for each record: ours, and the bare way."""
    for writers in (1, 8):
        waiting(writers, 0.5, ours)
        rate, took = waiting(writers, seconds, ours)
        bare_rate, _ = waiting(writers, seconds, bare)
        say(
            "append and wait",
            log=name,
            writers=writers,
            per_second=round(rate),
            p50_ms=round(took[len(took) // 2], 2),
            p99_ms=round(took[len(took) * 99 // 100], 2),
            bare_per_second=round(bare_rate),
            ratio=round(rate / bare_rate, 2),
        )


def rate_of(count: int, work: Callable[[], object]) -> float:
    """Records a second of work that handles `count`."""
    begin = time.perf_counter()
    work()
    return count / (time.perf_counter() - begin)


def in_bulk(log: Log, records: list[Outgoing]) -> None:
    """Append as an importer does: thousands at a time, the next while the last become durable."""
    futures: list[Any] = []
    for start in range(0, len(records), 2000):
        futures += log.append(Topic.FACTS, records[start : start + 2000], bulk=True)
        if start >= 10_000:
            futures[start - 10_000].result()
    for future in futures:
        future.result()


def read(log: Log, count: int) -> None:
    """Read the facts from the start."""
    with log.reader(Topic.FACTS, dict.fromkeys(range(PARTITIONS[Topic.FACTS]), 0)) as reader:
        while count > 0:
            count -= len(reader.poll(1, 10_000))


def compare_bulk(name: str, log: Log, records: list[Outgoing], bare: Callable[[], object]) -> None:
    """Bulk appends and reading."""
    bare_rate = rate_of(len(records), bare)
    rate = rate_of(len(records), lambda: in_bulk(log, records))
    say("append in bulk", log=name, per_second=round(rate), bare_per_second=round(bare_rate), ratio=round(rate / bare_rate, 2))
    count = sum(log.ends(Topic.FACTS).values())
    say("read", log=name, per_second=round(rate_of(count, lambda: read(log, count))))


@contextmanager
def closing(log: Log) -> Iterator[Log]:
    try:
        log.check()
        yield log
    finally:
        log.close()


BARE_COPY = 'COPY bare (key, value, headers, partition, "offset", timestamp) FROM STDIN (FORMAT binary)'


def copy_of(records: list[Outgoing], start: int) -> BytesIO:
    """What COPY is given for these records."""
    rows = [
        part
        for number, one in enumerate(records, start)
        for part in (row_of(one), (4).to_bytes(4), bytes(4), (8).to_bytes(4), number.to_bytes(8), (8).to_bytes(4), bytes(8))
    ]
    return BytesIO(b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"".join(rows) + b"\xff\xff")


def bench_embedded(folder: Path, count: int, seconds: float) -> None:
    """The embedded log beside COPY into a table of the same shape."""
    with open_server(folder) as server, closing(EmbeddedLog(server.dsn, PARTITIONS)) as log:
        connection = connect(server.dsn, durable=True)
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE bare (LIKE log.facts INCLUDING ALL)")
        offsets = iter(range(1 << 40, 1 << 50))

        def bare() -> Send:
            one = connect(server.dsn, durable=True).cursor()
            return lambda each: one.copy_expert(BARE_COPY, copy_of([each], next(offsets)))

        compare_waiting("embedded", seconds, lambda: lambda each: log.append(Topic.DECISIONS, [each])[0].result(), bare)
        records = [record() for _ in range(count)]
        copied = copy_of(records, 0)
        compare_bulk("embedded", log, records, lambda: cursor.copy_expert(BARE_COPY, copied))
        connection.close()


def bench_kafka(folder: Path, count: int, seconds: float) -> None:
    """The log in Kafka beside kafka-python's producer, to the same topics with the same settings."""
    address = broker.start(folder, free_port())
    try:
        cluster = Cluster((address,), "bench")
        with closing(KafkaLog(cluster, PARTITIONS)) as log:
            prompt = KafkaProducer(bootstrap_servers=address, acks="all", linger_ms=0, metrics_enabled=False)
            bulk = KafkaProducer(bootstrap_servers=address, acks="all", linger_ms=5, batch_size=BATCH_BYTES, metrics_enabled=False)

            def send(producer: Any, topic: Topic, one: Outgoing) -> Any:
                place = partition_of(one.key, PARTITIONS[topic])
                return producer.send(cluster.name(topic), one.value, one.key, list(one.headers), place)

            def all_in_bulk() -> None:
                for one in records:
                    send(bulk, Topic.FACTS, one)
                bulk.flush()

            compare_waiting(
                "kafka",
                seconds,
                lambda: lambda each: log.append(Topic.DECISIONS, [each])[0].result(),
                lambda: lambda each: send(prompt, Topic.DECISIONS, each).get(),
            )
            records = [record() for _ in range(count)]
            compare_bulk("kafka", log, records, all_in_bulk)
            prompt.close()
            bulk.close()
    finally:
        broker.kill(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=60_000, help="how many records in bulk")
    parser.add_argument("--seconds", type=float, default=3, help="how long for each figure of waiting writers")
    parser.add_argument("--quick", action="store_true", help="a few hundred records: whether everything runs, not how fast")
    chosen, _ = parser.parse_known_args()  # `make bench` gives the same words to every bench
    if chosen.quick:
        chosen.records, chosen.seconds = 500, 0.2
    with TemporaryDirectory(prefix="annals-bench-") as folder:
        bench_embedded(Path(folder) / "embedded", chosen.records, chosen.seconds)
        bench_kafka(Path(folder) / "kafka", chosen.records, chosen.seconds)


if __name__ == "__main__":
    main()
