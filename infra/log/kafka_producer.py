"""Sends records, through a producer that is replaced as soon as one record failed.

After a batch expired, kafka-python's idempotent producer may never send again, and its futures never end (seen with 3.0.12: it
drops its producer id and asks for no other). A producer that saw a fatal error fails everything. So none is trusted after a failure.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from infra.log.contract import LogError, LogMisconfigured, LogUnreachable, Outgoing, Position, Topic
from infra.log.futures import Handed
from infra.log.kafka_client import Cluster

DELIVERY_MS = 120_000
BLOCK_MS = 2_000
RETIRE_SECONDS = 10.0
"""How long a producer that failed may still deliver what it holds, while its successor works."""


class Sender:
    """Thread-safe. Makes its producer when it is first needed, and again after a failure."""

    def __init__(
        self,
        cluster: Cluster,
        partitions: dict[Topic, int],
        answered: Callable[[Topic, int], None],
        *,
        delivery_ms: int = DELIVERY_MS,
        **options: Any,
    ) -> None:
        """`answered` is told of every acknowledgement. `options` are kafka-python's, beside those that nobody may change."""
        self._cluster, self._partitions, self._answered = cluster, partitions, answered
        self._options = options | {
            "acks": "all",
            "enable_idempotence": True,
            "delivery_timeout_ms": delivery_ms,
            "request_timeout_ms": min(30_000, delivery_ms // 2),
            "max_block_ms": BLOCK_MS,
            "allow_auto_create_topics": False,
            "metrics_enabled": False,
        }
        self._making = threading.Lock()
        self._producer: Any = None
        self._retired: list[threading.Thread] = []
        self._closed = False

    @property
    def ready(self) -> bool:
        """Whether there is a producer, of topics with the right number of partitions."""
        return self._producer is not None

    def make_ready(self) -> None:
        """Make the producer. Raises LogUnreachable, and LogMisconfigured for a topic with another number of partitions."""
        self._current()

    def send(self, topic: Topic, partitions: Sequence[int], records: Sequence[Outgoing]) -> list[Future[Position]]:
        """Hand over each record for its partition, in order. Raises LogUnreachable if nothing was handed over."""
        futures: list[Future[Position]] = []
        for partition, record in zip(partitions, records, strict=True):
            future = Handed()
            try:
                self._hand_over(topic, partition, record, future)
            except LogError as error:
                if not futures:
                    raise
                future.give_up(str(error))
            futures.append(future)
        return futures

    def close(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for what was handed over; the rest fails, its fate open."""
        with self._making:
            self._closed = True
            producer, self._producer = self._producer, None
        if producer is not None:
            _shut(producer, timeout)
        for thread in self._retired:
            thread.join(timeout)

    def _hand_over(self, topic: Topic, partition: int, record: Outgoing, future: Handed) -> None:
        producer = self._current()
        try:
            sent = producer.send(self._cluster.name(topic), record.value, record.key, list(record.headers), partition)
        except (KafkaError, ValueError) as error:  # closed under our hands; or its knowledge of the topic went away for a moment
            self._retire(producer)
            raise LogUnreachable(f"{self._cluster.explained(error)} Nothing was handed over.") from error
        sent.add_callback(partial(self._acknowledged, topic, future, producer))
        sent.add_errback(partial(self._failed, future, producer))

    def _acknowledged(self, topic: Topic, future: Handed, producer: Any, metadata: Any) -> None:
        if metadata.offset < 0:  # durable, but a retry was told only that it came twice
            self._failed(future, producer, KafkaError("its offset was not told"))
            return
        self._answered(topic, metadata.partition)
        future.settle(Position(topic, metadata.partition, metadata.offset))

    def _failed(self, future: Handed, producer: Any, error: BaseException) -> None:
        self._retire(producer)
        where = ", ".join(self._cluster.servers)
        future.give_up(f"Kafka at {where} did not acknowledge the record ({type(error).__name__}: {error}); its fate is open.")

    def _current(self) -> Any:
        producer = self._producer
        if producer is not None:
            return producer
        with self._making:
            if self._closed:
                raise LogUnreachable("The log is closed in this process, so nothing was handed over.")
            if self._producer is None:
                self._producer = self._make()
            return self._producer

    def _make(self) -> Any:
        producer = self._cluster.connect(KafkaProducer, **self._options)
        try:
            for topic in self._partitions:
                self._require_partitions(producer, topic)
        except LogError:
            _shut(producer, 0)
            raise
        return producer

    def _require_partitions(self, producer: Any, topic: Topic) -> None:
        name, wanted = self._cluster.name(topic), self._partitions[topic]
        try:
            found = len(producer.partitions_for(name))
        except KafkaError as error:
            raise self._cluster.explained(error) from error
        if found != wanted:
            raise LogMisconfigured(f"{name} has {found} partitions, and the settings say {wanted}; set them back to {found}.")

    def _retire(self, producer: Any) -> None:
        """Send nothing more through this producer; in the background, let it deliver what it can, then end it."""
        with self._making:
            if self._producer is not producer:
                return
            self._producer = None
            self._retired = [thread for thread in self._retired if thread.is_alive()]
            thread = threading.Thread(target=_shut, args=(producer, RETIRE_SECONDS), name="log-retire", daemon=True)
            self._retired.append(thread)
        thread.start()


def _shut(producer: Any, timeout: float) -> None:
    """Close within about `timeout` seconds. The public close gives up where a batch is stuck and leaves the thread running, so the
    rest is aborted through kafka-python's own private way, which also ends the futures."""
    with suppress(KafkaError):
        producer.close(timeout=timeout)
        return
    producer._sender.force_close()
    producer._sender.join(1.0)
