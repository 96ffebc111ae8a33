"""The settings say which log is opened, and how Kafka is talked to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from infra.log.contract import LogMisconfigured, Outgoing, Topic
from infra.log.kafka_client import Cluster, security_from
from infra.log.open import open_log
from infra.settings import Settings
from tests.faults import Broker

SETTINGS = Settings(Path("never-used"), decision_partitions=2, fact_partitions=5)


def test_embedded_is_in_the_database(dsn: str) -> None:
    log = open_log(SETTINGS, dsn)
    log.check()
    assert log.append(Topic.DECISIONS, [Outgoing(b"key", b"x")])[0].result(10).offset == 0
    assert [log.partitions(topic) for topic in (Topic.DECISIONS, Topic.FACTS, Topic.KEYS)] == [2, 5, 8]
    log.close()


def test_kafka_is_at_the_brokers_named_under_the_prefix_named(broker: Broker) -> None:
    settings = replace(SETTINGS, log="kafka", kafka=("127.0.0.1:1", broker.address), prefix=f"t{uuid4().hex[:10]}")
    log = open_log(settings, "no database is needed for this log")
    log.check()
    assert log.append(Topic.FACTS, [Outgoing(b"key", b"x")])[0].result(10).offset == 0
    assert len(log.ends(Topic.FACTS)) == 5
    log.close()


def test_kafka_without_an_address_is_refused() -> None:
    with pytest.raises(LogMisconfigured, match="CRM_KAFKA names no broker"):
        open_log(replace(SETTINGS, log="kafka", kafka=()), "")


def test_security_settings_get_the_types_that_kafka_python_wants() -> None:
    given = {"security_protocol": "SASL_SSL", "sasl_plain_password": "12345", "ssl_check_hostname": "False"}
    assert security_from(given) == given | {"ssl_check_hostname": False}


@pytest.mark.parametrize(("name", "value"), [("ssl_chek_hostname", "true"), ("request_timeout_ms", "1"), ("ssl_check_hostname", "yes")])
def test_a_security_setting_that_cannot_be_right_is_refused(name: str, value: str) -> None:
    with pytest.raises(LogMisconfigured, match=f"CRM_KAFKA_{name.upper()}"):
        security_from({name: value})


def test_security_settings_are_used_and_never_shown(broker: Broker) -> None:
    secret = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": "u", "sasl_plain_password": "hush"}
    cluster = Cluster((broker.address,), "t", secret)
    assert "hush" not in repr(cluster)
    settings = replace(SETTINGS, log="kafka", kafka=(broker.address,), kafka_security=secret)
    with pytest.raises(Exception, match="Kafka at") as refusal:
        open_log(settings, "")
    assert "hush" not in str(refusal.value)
