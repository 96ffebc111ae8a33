"""The log in Kafka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from infra.log.contract import LogUnreachable, Outgoing, Position, Topic
from infra.log.kafka_client import Cluster
from infra.log.kafka_producer import DELIVERY_MS, Sender
from infra.log.kafka_reader import KafkaReader
from infra.log.limits import MAX_RECORD_BYTES, require_acceptable
from infra.log.partition import partition_of
from infra.log.pulse import Pulse
from infra.log.topics import check_topics

ENDS_SECONDS = 5.0
CLOSE_SECONDS = 10.0
BATCH_BYTES = 256 << 10
ROOM_BYTES = 4096
"""What Kafka needs around our largest record (Source: the record batch's header is 61 bytes, a record's own lengths under 40)."""


class KafkaLog:
    """The contract's Log over the brokers of `cluster`. Raises LogUnreachable, LogMisconfigured when made."""

    def __init__(
        self,
        cluster: Cluster,
        partitions: Mapping[Topic, int],
        *,
        max_record_bytes: int = MAX_RECORD_BYTES,
        delivery_ms: int = DELIVERY_MS,
    ) -> None:
        """`delivery_ms`: how long a producer tries before a record's future fails; under two minutes only in tests."""
        self.max_record_bytes = max_record_bytes
        self._closed = False
        self._cluster = cluster
        self._partitions = dict(partitions)
        self._asker: Any = cluster.connect(
            KafkaConsumer, enable_auto_commit=False, allow_auto_create_topics=False, request_timeout_ms=3000, metrics_enabled=False
        )
        self._pulses = {
            (topic, partition): Pulse(partial(self._ask, topic, partition))
            for topic, count in partitions.items()
            for partition in range(count)
        }
        common: dict[str, Any] = {"delivery_ms": delivery_ms, "max_request_size": max_record_bytes + BATCH_BYTES + ROOM_BYTES}
        self._prompt = Sender(cluster, self._partitions, self._answered, linger_ms=0, **common)
        self._bulk = Sender(cluster, self._partitions, self._answered, linger_ms=5, batch_size=BATCH_BYTES, **common)

    def partitions(self, topic: Topic) -> int:
        return self._partitions[topic]

    def check(self) -> None:
        check_topics(self._cluster, self._partitions, self.max_record_bytes + ROOM_BYTES)

    def append(self, topic: Topic, records: Sequence[Outgoing], *, bulk: bool = False) -> list[Future[Position]]:
        require_acceptable(records, self.max_record_bytes)
        self._require_open()
        count = self._partitions[topic]
        placed = [partition_of(record.key, count) for record in records]
        sender = self._bulk if bulk else self._prompt
        if not sender.ready:
            self._pulses[topic, 0].confirm()  # a broker that is away is noticed sooner than a producer is made
            sender.make_ready()
        for partition in sorted(set(placed)):
            self._pulses[topic, partition].confirm()
        return sender.send(topic, placed, records)

    def reader(self, topic: Topic, start: Mapping[int, int]) -> KafkaReader:
        return KafkaReader(self._cluster, topic, start)

    def ends(self, topic: Topic) -> dict[int, int]:
        return self._ends(topic, range(self._partitions[topic]), ENDS_SECONDS)

    def close(self) -> None:
        self._closed = True
        self._prompt.close(CLOSE_SECONDS)
        self._bulk.close(CLOSE_SECONDS)
        self._asker.close(autocommit=False, timeout_ms=1000)

    def _require_open(self) -> None:
        if self._closed:
            raise LogUnreachable("The log is closed in this process, so it was not asked, and nothing was handed over.")

    def _answered(self, topic: Topic, partition: int) -> None:
        self._pulses[topic, partition].answered()

    def _ask(self, topic: Topic, partition: int, timeout: float) -> None:
        self._ends(topic, [partition], timeout)

    def _ends(self, topic: Topic, partitions: Sequence[int], timeout: float) -> dict[int, int]:
        self._require_open()
        name = self._cluster.name(topic)
        try:
            # Safe from many threads: the consumer's network thread does the asking.
            ends = self._asker.end_offsets([TopicPartition(name, partition) for partition in partitions], timeout_ms=int(timeout * 1000))
        except KafkaError as error:
            raise self._cluster.explained(error) from error
        return {one.partition: end for one, end in ends.items()}
