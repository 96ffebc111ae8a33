"""Puts records into a log as no writer of ours would: any key, any partition, any size."""

from __future__ import annotations

from collections.abc import Sequence

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from infra.log.contract import Topic
from infra.log.digest import headers_bytes
from infra.postgres.connection import connect
from infra.settings import Settings

Raw = tuple[int, bytes | None, bytes | None]
"""(partition, key, value)"""

LARGEST = 8 << 20


def append_raw(settings: Settings, topic: Topic, records: Sequence[Raw]) -> None:
    """Append the records in order; durable when this returns."""
    if settings.log == "kafka":
        _to_kafka(settings, topic, records)
    else:
        _to_tables(settings, topic, records)


def _to_kafka(settings: Settings, topic: Topic, records: Sequence[Raw]) -> None:
    name = f"{settings.prefix}.{topic.value}"
    admin = KafkaAdminClient(bootstrap_servers=list(settings.kafka))
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": str(LARGEST)})])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=list(settings.kafka), max_request_size=LARGEST, acks="all")
    futures = [producer.send(name, value, key, partition=partition) for partition, key, value in records]
    producer.flush(30)
    for future in futures:
        future.get(30)
    producer.close()


def _to_tables(settings: Settings, topic: Topic, records: Sequence[Raw]) -> None:
    assert settings.database is not None
    connection = connect(settings.database, autocommit=False)
    with connection, connection.cursor() as cursor:
        for partition, key, value in records:
            cursor.execute(
                """UPDATE log.partition SET next = next + 1, time = greatest(time, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
                   WHERE topic = %s AND partition = %s RETURNING next - 1, time""",
                (topic.value, partition),
            )
            offset, time = cursor.fetchone() or (0, 0)
            cursor.execute(f"INSERT INTO log.{topic.value} VALUES (%s, %s, %s, %s, %s, %s)", (
                partition, offset, time, key, value, headers_bytes(()),
            ))  # fmt: skip
        cursor.execute(f"NOTIFY log_{topic.value}")
    connection.close()
