"""The two logs of the bare path, with nothing around them: a Kafka topic, and a table of PostgreSQL that waits for the disk."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable
from io import StringIO
from typing import Any, Protocol

import psycopg2
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

Sent = tuple[int, bytes, bytes]
"""(partition, key, value)"""
Found = dict[int, list[tuple[int, bytes]]]
"""By partition: (offset, value)."""


class Wire(Protocol):
    """One topic of a bare log. Pickles: a reader in another process gets one of its own."""

    partitions: int

    def create(self) -> None: ...

    def sender(self) -> Callable[[int, bytes, bytes], int]:
        """What appends one record and returns its offset once it is durable. One for each thread."""
        ...

    def pour(self, records: Iterable[Sent]) -> None:
        """Append all of them; return when all are durable."""
        ...

    def reader(self) -> Callable[[], Found]:
        """What waits up to a tenth of a second for new records, from the beginning on."""
        ...


def connect(dsn: str, *, durable: bool = False) -> Any:
    """A connection of the bare path; what a crash loses of its index, its log gives back."""
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    connection.cursor().execute(f"SET synchronous_commit = {'on' if durable else 'off'}")
    return connection


class KafkaWire:
    """A topic on the broker."""

    def __init__(self, broker: str, name: str, partitions: int) -> None:
        self.broker, self.name, self.partitions = broker, name, partitions

    def create(self) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self.broker)
        # As our own topics on one broker: what is acknowledged is on its disk.
        admin.create_topics([NewTopic(self.name, self.partitions, 1, topic_configs={"flush.messages": "1"})])
        admin.wait_for_topics([self.name])
        admin.close()

    def sender(self) -> Callable[[int, bytes, bytes], int]:
        producer = _shared(self.broker)

        def send(partition: int, key: bytes, value: bytes) -> int:
            return int(producer.send(self.name, value, key=key, partition=partition).get(30).offset)

        return send

    def pour(self, records: Iterable[Sent]) -> None:
        producer = KafkaProducer(bootstrap_servers=self.broker, acks="all", linger_ms=5, batch_size=262_144)
        for partition, key, value in records:
            producer.send(self.name, value, key=key, partition=partition)
        producer.flush()
        producer.close()

    def reader(self) -> Callable[[], Found]:
        consumer = KafkaConsumer(
            bootstrap_servers=self.broker,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
            fetch_min_bytes=1,
            max_partition_fetch_bytes=1 << 20,
        )
        consumer.assign([TopicPartition(self.name, partition) for partition in range(self.partitions)])
        consumer.seek_to_beginning()

        def poll() -> Found:
            found = consumer.poll(100, max_records=2000)
            return {one.partition: [(record.offset, record.value) for record in records] for one, records in found.items()}

        return poll


_producers: dict[str, Any] = {}


def _shared(broker: str) -> Any:
    """One producer for all threads, as in a program that writes."""
    if broker not in _producers:
        _producers[broker] = KafkaProducer(bootstrap_servers=broker, acks="all", linger_ms=0)
    return _producers[broker]


def close_producers() -> None:
    """Let go of the broker."""
    while _producers:
        _producers.popitem()[1].close()


class TableWire:
    """A table and a counter row a partition, which is what an embedded log cannot do without."""

    def __init__(self, dsn: str, name: str, partitions: int) -> None:
        self.dsn, self.name, self.partitions = dsn, name, partitions

    def create(self) -> None:
        cursor = connect(self.dsn).cursor()
        cursor.execute(f"CREATE TABLE {self.name} (part int, off bigint, key text, value text, PRIMARY KEY (part, off))")
        cursor.execute(f"CREATE TABLE {self.name}_next (part int PRIMARY KEY, next bigint)")
        cursor.execute(f"INSERT INTO {self.name}_next SELECT generate_series(0, %s), 0", (self.partitions - 1,))

    def sender(self) -> Callable[[int, bytes, bytes], int]:
        cursor = connect(self.dsn, durable=True).cursor()
        statement = f"""WITH place AS (UPDATE {self.name}_next SET next = next + 1 WHERE part = %s RETURNING next - 1 AS off),
                             row AS (INSERT INTO {self.name} SELECT %s, off, %s, %s FROM place RETURNING off)
                        SELECT off, pg_notify('{self.name}', '') FROM row"""

        def send(partition: int, key: bytes, value: bytes) -> int:
            cursor.execute(statement, (partition, partition, key.decode(), value.decode()))
            return int(cursor.fetchone()[0])

        return send

    def pour(self, records: Iterable[Sent]) -> None:
        cursor = connect(self.dsn, durable=True).cursor()
        group: list[Sent] = []
        for record in records:
            group.append(record)
            if len(group) == 5000:
                self._copy(cursor, group)
                group = []
        if group:
            self._copy(cursor, group)

    def _copy(self, cursor: Any, group: list[Sent]) -> None:
        counts = [0] * self.partitions
        for partition, _, _ in group:
            counts[partition] += 1
        cursor.execute("BEGIN")
        cursor.execute(
            f"UPDATE {self.name}_next c SET next = next + n FROM unnest(%s, %s) w(p, n) WHERE part = p RETURNING part, next - n",
            (list(range(self.partitions)), counts),
        )
        following = dict(cursor.fetchall())
        lines = []
        for partition, key, value in group:
            lines.append(f"{partition}\t{following[partition]}\t{key.decode()}\t{value.decode()}\n")
            following[partition] += 1
        cursor.copy_expert(f"COPY {self.name} FROM STDIN", StringIO("".join(lines)))
        cursor.execute(f"NOTIFY {self.name}")
        cursor.execute("COMMIT")

    def reader(self) -> Callable[[], Found]:
        connection = connect(self.dsn)
        cursor = connection.cursor()
        cursor.execute(f"LISTEN {self.name}")
        following = [0] * self.partitions
        looked_at = [0.0]

        def poll() -> Found:
            """Look when told, when the last look found something, and by itself once a second."""
            if looked_at[0] and not select.select([connection], [], [], 0.1)[0] and time.monotonic() - looked_at[0] < 1:
                return {}
            connection.poll()
            connection.notifies.clear()
            cursor.execute(
                f"""SELECT part, off, value FROM unnest(%s, %s::bigint[]) w(p, f) CROSS JOIN LATERAL
                    (SELECT part, off, value FROM {self.name} WHERE part = p AND off >= f ORDER BY off LIMIT 500) r""",
                (list(range(self.partitions)), following),
            )
            found: Found = {}
            for partition, offset, value in cursor.fetchall():
                found.setdefault(partition, []).append((offset, value.encode()))
                following[partition] = offset + 1
            looked_at[0] = 0.0 if found else time.monotonic()
            return found

        return poll
