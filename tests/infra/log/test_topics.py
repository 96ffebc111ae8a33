"""Start-up creates the topics as designed, and refuses each thing that is otherwise. Every refusal is tried on a real broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from infra.log.contract import LogMisconfigured, LogUnreachable, Outgoing, Topic
from infra.log.kafka import KafkaLog
from infra.log.kafka_client import Cluster
from infra.log.topics import check_topics
from tests.faults import Broker, free_port
from tests.infra.log.conftest import PARTITIONS

DESIGNED = {
    "decisions": {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "message.timestamp.type": "LogAppendTime"},
    "facts": {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "message.timestamp.type": "LogAppendTime"},
    "keys": {
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.0",
        "segment.ms": "3600000",
        "max.compaction.lag.ms": "3600000",
        "retention.ms": "-1",
        "message.timestamp.type": "LogAppendTime",
    },
}


@pytest.fixture(scope="module")
def cluster(broker: Broker) -> Cluster:
    """One set of topics for the whole file; a test that alters one puts it back."""
    cluster = Cluster((broker.address,), f"t{uuid4().hex[:10]}")
    check_topics(cluster, PARTITIONS, 1 << 20)
    return cluster


@pytest.fixture
def admin(broker: Broker) -> Iterator[KafkaAdminClient]:
    with KafkaAdminClient(bootstrap_servers=broker.address) as client:
        yield client


def settings_of(admin: KafkaAdminClient, name: str) -> dict[str, str]:
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    found = admin.describe_configs([resource], config_filter="all")["topic"][name]
    return {setting: one["value"] for setting, one in found.items()}


def alter(admin: KafkaAdminClient, name: str, setting: str, value: str) -> None:
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs={setting: value})])


def test_the_topics_are_created_as_designed(cluster: Cluster, admin: KafkaAdminClient) -> None:
    for topic in Topic:
        name = cluster.name(topic)
        (described,) = admin.describe_topics([name])
        assert len(described["partitions"]) == PARTITIONS[topic]
        assert {len(partition["replica_nodes"]) for partition in described["partitions"]} == {1}
        settings = settings_of(admin, name)
        assert {setting: settings[setting] for setting in DESIGNED[topic.value]} == DESIGNED[topic.value]
        assert settings["flush.messages"] == "1", "on one broker, what is acknowledged is on the disk"


def test_topics_as_designed_pass_again(cluster: Cluster) -> None:
    check_topics(cluster, PARTITIONS, 1 << 20)


@pytest.mark.parametrize(
    ("topic", "setting", "wrong", "expected"),
    [
        *(
            (topic, setting, wrong, expected)
            for topic in (Topic.DECISIONS, Topic.FACTS)
            for setting, wrong, expected in (
                ("cleanup.policy", "compact", "delete"),
                ("cleanup.policy", "compact,delete", "delete"),
                ("retention.ms", "604800000", "-1"),
                ("retention.bytes", "1000000000", "-1"),
                ("message.timestamp.type", "CreateTime", "LogAppendTime"),
                ("max.message.bytes", "1048575", "at least 1048576"),
            )
        ),
        (Topic.KEYS, "cleanup.policy", "delete", "compact"),
        (Topic.KEYS, "cleanup.policy", "compact,delete", "compact"),
        (Topic.KEYS, "min.cleanable.dirty.ratio", "0.5", "0"),
        (Topic.KEYS, "segment.ms", "3600001", "at most 3600000"),
        (Topic.KEYS, "max.compaction.lag.ms", "9223372036854775807", "at most 3600000"),
        (Topic.KEYS, "message.timestamp.type", "CreateTime", "LogAppendTime"),
    ],
    ids=str,
)
def test_a_setting_that_is_otherwise_is_refused(
    cluster: Cluster, admin: KafkaAdminClient, topic: Topic, setting: str, wrong: str, expected: str
) -> None:
    name = cluster.name(topic)
    right = settings_of(admin, name)[setting]
    alter(admin, name, setting, wrong)
    try:
        with pytest.raises(LogMisconfigured) as refusal:
            check_topics(cluster, PARTITIONS, 1 << 20)
    finally:
        alter(admin, name, setting, right)
    for word in (name, f"{setting}={wrong} ".rstrip(), f"must be {expected}"):
        assert word in str(refusal.value)
    check_topics(cluster, PARTITIONS, 1 << 20)


@pytest.mark.parametrize("topic", list(Topic))
def test_added_partitions_are_refused(broker: Broker, admin: KafkaAdminClient, topic: Topic) -> None:
    cluster = Cluster((broker.address,), f"t{uuid4().hex[:10]}")
    check_topics(cluster, PARTITIONS, 1 << 20)
    admin.create_partitions({cluster.name(topic): PARTITIONS[topic] + 1})
    with pytest.raises(LogMisconfigured, match=rf"{topic.value} has {PARTITIONS[topic] + 1} partitions.* {PARTITIONS[topic]};"):
        check_topics(cluster, PARTITIONS, 1 << 20)


def test_a_log_whose_first_records_were_deleted_is_refused(broker: Broker, admin: KafkaAdminClient) -> None:
    cluster = Cluster((broker.address,), f"t{uuid4().hex[:10]}")
    log = KafkaLog(cluster, PARTITIONS)
    try:
        log.check()
        (future, *_) = log.append(Topic.FACTS, [Outgoing(b"key", b"x")] * 3)
        position = future.result(10)
        admin.delete_records({TopicPartition(cluster.name(Topic.FACTS), position.partition): 2})
        with pytest.raises(LogMisconfigured, match=rf"facts begins at f{position.partition}:2 instead of f{position.partition}:0"):
            log.check()
    finally:
        log.close()


def test_a_broker_that_is_not_there_is_told_within_five_seconds() -> None:
    cluster = Cluster((f"127.0.0.1:{free_port()}",), "t")
    threads = threading.active_count()
    for attempt in (lambda: check_topics(cluster, PARTITIONS, 1 << 20), lambda: KafkaLog(cluster, PARTITIONS)):
        begin = time.monotonic()
        with pytest.raises(LogUnreachable, match=cluster.servers[0]):
            attempt()
        assert time.monotonic() - begin < 6
    assert threading.active_count() == threads, "a client that could not connect leaves nothing behind"
