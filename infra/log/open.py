"""Opens the log that the settings name."""

from __future__ import annotations

from infra.log.contract import Log, Topic
from infra.log.embedded import EmbeddedLog
from infra.settings import Settings

KEY_PARTITIONS = 8


def open_log(settings: Settings, dsn: str) -> Log:
    """The log; `dsn` is the database's, where the embedded one lives. Call its `check` once before anything else.

    Raises LogUnreachable, LogMisconfigured.
    """
    partitions = {Topic.DECISIONS: settings.decision_partitions, Topic.FACTS: settings.fact_partitions, Topic.KEYS: KEY_PARTITIONS}
    if settings.log == "embedded":
        return EmbeddedLog(dsn, partitions)
    # kafka-python takes its time to import, and a laptop without Kafka never needs it.
    from infra.log.kafka import KafkaLog
    from infra.log.kafka_client import Cluster, security_from, servers_from

    return KafkaLog(Cluster(servers_from(settings.kafka), settings.prefix, security_from(settings.kafka_security)), partitions)
