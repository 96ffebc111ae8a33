"""The topics as the design demands them (section 2): created where missing, refused where they are otherwise.

A wrong setting here loses the truth silently and months later, so it is refused at the start, in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError
from kafka.protocol.consumer import OffsetSpec
from kafka.structs import TopicPartition

from infra.log.contract import LogMisconfigured, Topic
from infra.log.kafka_client import Cluster

HOUR_MS = 3_600_000
REPLICAS = 3


@dataclass(frozen=True)
class Rule:
    """What one setting of a topic is created as, and which values are let pass."""

    setting: str
    value: str
    passes: Callable[[str], bool]
    expected: str


def exactly(setting: str, value: str) -> Rule:
    """The setting has this value and no other."""
    return Rule(setting, value, lambda found: found == value, value)


def at_most(setting: str, value: int) -> Rule:
    """The setting is a number no larger than this."""
    return Rule(setting, str(value), lambda found: int(found) <= value, f"at most {value}")


def rules_of(topic: Topic, message_bytes: int) -> list[Rule]:
    """The settings that a topic must have. `message_bytes`: the largest record with what Kafka puts around it."""
    common = [
        exactly("message.timestamp.type", "LogAppendTime"),
        exactly("retention.bytes", "-1"),
        exactly("retention.ms", "-1"),
        Rule("max.message.bytes", str(message_bytes), lambda found: int(found) >= message_bytes, f"at least {message_bytes}"),
    ]
    if topic is not Topic.KEYS:
        return [exactly("cleanup.policy", "delete"), *common]
    return [
        exactly("cleanup.policy", "compact"),
        Rule("min.cleanable.dirty.ratio", "0", lambda found: float(found) == 0, "0"),
        at_most("segment.ms", HOUR_MS),
        at_most("max.compaction.lag.ms", HOUR_MS),
        *common,
    ]


def check_topics(cluster: Cluster, partitions: Mapping[Topic, int], message_bytes: int) -> None:
    """Create the missing topics, then refuse any that is not as designed. Raises LogMisconfigured, LogUnreachable."""
    admin = cluster.connect(KafkaAdminClient, request_timeout_ms=10_000)
    try:
        _create(admin, cluster, partitions, message_bytes)
        for topic, count in partitions.items():
            for complaint in _complaints(admin, cluster.name(topic), topic, count, message_bytes):
                raise LogMisconfigured(complaint)
    except KafkaError as error:
        raise cluster.explained(error) from error
    finally:
        admin.close()


def _create(admin: Any, cluster: Cluster, partitions: Mapping[Topic, int], message_bytes: int) -> None:
    names = [cluster.name(topic) for topic in partitions]
    present = {one["name"] for one in admin.describe_topics(names) if not one["error_code"]}
    brokers = len(admin.describe_cluster()["brokers"])
    for topic, count in partitions.items():
        name = cluster.name(topic)
        if name in present:
            continue
        wanted = {rule.setting: rule.value for rule in rules_of(topic, message_bytes)}
        # What is acknowledged is durable: on two of three disks, or, where there is one broker, on its disk and not in its memory.
        wanted |= {"min.insync.replicas": "2"} if brokers >= REPLICAS else {"flush.messages": "1"}
        replicas = REPLICAS if brokers >= REPLICAS else 1
        new = {name: {"num_partitions": count, "replication_factor": replicas, "configs": wanted}}
        with suppress(TopicAlreadyExistsError):  # another process was quicker
            admin.create_topics(new)
    admin.wait_for_topics(names)


def _complaints(admin: Any, name: str, topic: Topic, count: int, message_bytes: int) -> Iterator[str]:
    """A sentence for each thing that is not as designed."""
    (described,) = admin.describe_topics([name])
    found = len(described["partitions"])
    if found != count:
        yield f"{name} has {found} partitions, and the settings say {count}; it is fixed at birth: set it back, or restore the topic."
        return
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    settings = admin.describe_configs([resource], config_filter="all")["topic"][name]
    for rule in rules_of(topic, message_bytes):
        value = settings[rule.setting]["value"]
        if not rule.passes(value):
            yield f"{name} has {rule.setting}={value}, and it must be {rule.expected}; alter the topic, then start again."
    if topic is not Topic.KEYS:
        firsts = admin.list_partition_offsets({TopicPartition(name, partition): OffsetSpec.EARLIEST for partition in range(count)})
        for place, first in sorted(firsts.items()):
            if first.offset:
                yield (
                    f"{name} begins at {topic.letter}{place.partition}:{first.offset} instead of {topic.letter}{place.partition}:0: "
                    "events were deleted; restore the topic whole."
                )
