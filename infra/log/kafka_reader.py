"""Follows one topic in Kafka, from offsets that we keep ourselves: no group, no commits, no jumping where an offset is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, LogTruncationError, OffsetOutOfRangeError

from infra.log.contract import LogError, Position, Record, Topic
from infra.log.kafka_client import Cluster
from infra.log.pulse import Pulse


class KafkaReader:
    """Not thread-safe. Connects when first polled."""

    def __init__(self, cluster: Cluster, topic: Topic, start: Mapping[int, int]) -> None:
        self._cluster, self._topic = cluster, topic
        self._name = cluster.name(topic)
        self._next = dict(start)
        self._consumer: Any = None
        self._cut: LogError | None = None
        self._pulse = Pulse(self._ask)

    def poll(self, timeout: float, limit: int) -> list[Record]:
        if self._cut is not None:
            raise LogError(*self._cut.args)  # a fresh consumer would not see it, and read on over the cut
        consumer = self._consumer or self._connect()
        try:
            found = consumer.poll(timeout_ms=max(0, int(timeout * 1000)), max_records=limit)
        except OffsetOutOfRangeError as error:
            self.close()
            raise self._missing(error.args[0]) from error
        except LogTruncationError as error:
            self.close()
            self._cut = self._missing(error.divergent_offsets)
            raise self._cut from error
        except Exception as error:
            self.close()  # after some errors kafka-python's consumer never returns; a fresh one begins where we are
            if isinstance(error, KafkaError) and error.retriable:
                raise self._cluster.explained(error) from error
            raise LogError(f"{self._places(self._next)} of {self._name} cannot be read ({type(error).__name__}: {error}).") from error
        if not found:
            self._pulse.confirm()
            return []
        self._pulse.answered()
        records = [
            Record(self._topic, r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
            for some in found.values()
            for r in some
        ]
        for record in records:
            self._next[record.partition] = record.offset + 1
        return records

    def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with suppress(KafkaError):
                consumer.close(autocommit=False, timeout_ms=1000)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _connect(self) -> Any:
        self._consumer = consumer = self._cluster.connect(
            KafkaConsumer,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_uncommitted",
            fetch_min_bytes=1,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=4 << 20,
            request_timeout_ms=10_000,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )
        partitions = {TopicPartition(self._name, partition): offset for partition, offset in self._next.items()}
        consumer.assign(list(partitions))
        for partition, offset in partitions.items():
            consumer.seek(partition, offset)
        return consumer

    def _ask(self, timeout: float) -> None:
        try:
            self._consumer.end_offsets([TopicPartition(self._name, partition) for partition in self._next], timeout_ms=int(timeout * 1000))
        except KafkaError as error:
            raise self._cluster.explained(error) from error

    def _missing(self, partitions: Iterable[TopicPartition]) -> LogError:
        return LogError(
            f"{self._name} does not hold {self._places(one.partition for one in partitions)}: the log was cut, or it is another, older "
            "log; restore the one that was read before, or start with an empty database."
        )

    def _places(self, partitions: Iterable[int]) -> str:
        return " or ".join(str(Position(self._topic, partition, self._next[partition])) for partition in sorted(partitions))
