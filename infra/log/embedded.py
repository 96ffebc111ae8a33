"""The embedded log: PostgreSQL tables, for a laptop or a small shop that has no Kafka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import psycopg2

from infra.log.contract import Outgoing, Position, Topic
from infra.log.embedded_errors import explained
from infra.log.embedded_reader import EmbeddedReader
from infra.log.embedded_tables import counters_of, create, require_partitions, require_whole
from infra.log.embedded_writer import Waiting, Writer, row_of
from infra.log.limits import MAX_RECORD_BYTES, require_acceptable
from infra.log.partition import partition_of
from infra.postgres.connection import Pool, connect

CLOSE_SECONDS = 10.0


class EmbeddedLog:
    """The contract's Log over the PostgreSQL database at `dsn`. Each topic has a writer of its own: an import never delays a decision."""

    def __init__(self, dsn: str, partitions: Mapping[Topic, int], *, max_record_bytes: int = MAX_RECORD_BYTES) -> None:
        self.max_record_bytes = max_record_bytes
        self._dsn = dsn
        self._pool = Pool(dsn, size=2)
        self._partitions = dict(partitions)
        self._writers = {topic: Writer(dsn, topic, count) for topic, count in self._partitions.items()}

    def partitions(self, topic: Topic) -> int:
        return self._partitions[topic]

    def check(self) -> None:
        try:
            connection = connect(self._dsn, autocommit=False, durable=True)
            try:
                with connection, connection.cursor() as cursor:
                    for topic, partitions in self._partitions.items():
                        create(cursor, topic, partitions)
                        require_partitions(cursor, topic, partitions)
                        require_whole(cursor, topic)
            finally:
                connection.close()
        except psycopg2.Error as error:
            raise explained(error) from error

    def append(self, topic: Topic, records: Sequence[Outgoing], *, bulk: bool = False) -> list[Future[Position]]:
        require_acceptable(records, self.max_record_bytes)
        writer, count = self._writers[topic], self._partitions[topic]
        waiting = [Waiting(partition_of(record.key, count), record.key, row_of(record)) for record in records]
        writer.pulse.confirm()
        writer.submit(waiting, bulk=bulk)
        return [one.future for one in waiting]

    def reader(self, topic: Topic, start: Mapping[int, int]) -> EmbeddedReader:
        return EmbeddedReader(self._dsn, topic, start)

    def ends(self, topic: Topic) -> dict[int, int]:
        try:
            try:
                return self._ends(topic)
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                return self._ends(topic)  # the pool's connection had died while idle, and was thrown away
        except psycopg2.Error as error:
            raise explained(error) from error

    def _ends(self, topic: Topic) -> dict[int, int]:
        with self._pool.transaction() as cursor:
            cursor.execute(f"SELECT partition, next FROM {counters_of(topic)} WHERE topic = %s", (topic.value,))
            return dict(cursor.fetchall())

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close(CLOSE_SECONDS)
        self._pool.close()
