"""The one-node Kafka: started once, found again, stopped, killed; and nobody else harmed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import ConfigResource, NewTopic
from kafka.errors import MessageSizeTooLargeError

from infra import broker as kafka
from infra.broker import BrokerError
from infra.postgres.locks import FileLock
from tests.faults import Broker, free_port, wait_until

TOPIC = "broker-test"


@pytest.fixture
def topic(broker: Broker) -> str:
    """A topic of one partition, made on first use and kept for the other tests here."""
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    try:
        if TOPIC not in admin.list_topics():
            admin.create_topics([NewTopic(TOPIC, 1, 1)])
    finally:
        admin.close()
    return TOPIC


def send(broker: Broker, topic: str, value: bytes) -> int:
    """The offset that the value got."""
    producer = KafkaProducer(bootstrap_servers=broker.address, acks="all", max_request_size=10_000_000, retries=0)
    try:
        return int(producer.send(topic, value).get(20).offset)
    finally:
        producer.close(timeout=5)


def values(broker: Broker, topic: str) -> list[bytes]:
    consumer = KafkaConsumer(topic, bootstrap_servers=broker.address, auto_offset_reset="earliest", consumer_timeout_ms=3000)
    try:
        return [record.value for record in consumer]
    finally:
        consumer.close()


def test_starting_it_again_finds_it(broker: Broker) -> None:
    assert kafka.start(broker.folder, broker.port) == broker.address == f"127.0.0.1:{broker.port}"


def test_starting_it_on_another_port_names_the_one_it_has(broker: Broker) -> None:
    with pytest.raises(BrokerError, match=f"already runs, on port {broker.port}"):
        kafka.start(broker.folder, free_port())


def test_a_record_of_one_mebibyte_goes_in_and_a_larger_one_does_not(broker: Broker, topic: str) -> None:
    assert send(broker, topic, bytes(kafka.RECORD_BYTES)) >= 0
    with pytest.raises(MessageSizeTooLargeError):
        send(broker, topic, bytes(kafka.RECORD_BYTES + kafka.OVERHEAD_BYTES + 1))


def test_it_keeps_everything_makes_no_topic_by_mistake_and_writes_each_record_to_the_disk(broker: Broker) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    settings = admin.describe_configs([ConfigResource("broker", "1")], config_filter="all")["broker"]["1"]
    admin.close()
    wanted = {
        "auto.create.topics.enable": "false",
        "log.flush.interval.messages": "1",
        "log.retention.bytes": "-1",
        "log.retention.ms": "-1",
    }
    assert {name: settings[name]["value"] for name in wanted} == wanted


def test_a_paused_broker_answers_nothing_until_it_is_resumed(broker: Broker) -> None:
    broker.pause()
    assert not kafka._answers(broker.folder, broker.port)
    broker.resume()
    wait_until(lambda: kafka._answers(broker.folder, broker.port), 30)


def test_what_was_acknowledged_survives_a_kill_although_the_pid_file_lies(broker: Broker, topic: str) -> None:
    send(broker, topic, b"acknowledged")
    broker.kill()
    with subprocess.Popen(["sleep", "600"]) as other:
        (broker.folder / "broker.pid").write_text(str(other.pid))
        broker.stop()
        broker.kill()
        with pytest.raises(BrokerError, match="No broker runs"):
            broker.pause()
        start_in_another_process(broker)
        assert other.poll() is None
        other.kill()
    assert values(broker, topic)[-1] == b"acknowledged"


def start_in_another_process(broker: Broker) -> None:
    """It outlives whoever started it, who says nothing but the address."""
    start = "import sys; from pathlib import Path; from infra import broker; print(broker.start(Path(sys.argv[1]), int(sys.argv[2])))"
    checkout = Path(kafka.__file__).parents[1]
    command = [sys.executable, "-c", start, broker.folder, str(broker.port)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(checkout)}, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (broker.address, "")


def test_a_port_of_another_program_is_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(BrokerError, match="is taken by another program"):
            kafka.start(tmp_path, other.getsockname()[1])


@pytest.mark.parametrize("name", ["thesis.txt", "server.properties"])
def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(BrokerError, match="holds other files, no Kafka of ours"):
        kafka.start(tmp_path, free_port())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerError, match="cannot be used"):
        kafka.start(tmp_path / "file", free_port())


def test_stopping_what_does_not_run_changes_nothing(tmp_path: Path) -> None:
    kafka.stop(tmp_path / "never")
    kafka.kill(tmp_path)
    with pytest.raises(BrokerError, match=r"No broker runs in .*; start it first"):
        kafka.resume(tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_a_broker_that_dies_at_once_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "PROPERTIES", kafka.PROPERTIES.replace("node.id=1", "node.id=one"))
    monkeypatch.setattr(kafka, "_format", lambda _folder, _run: None)
    with pytest.raises(BrokerError, match=r"did not start: .*ConfigException: Invalid value one"):
        kafka.start(tmp_path, free_port())
    with FileLock(tmp_path / "broker.lock") as life:
        assert life.exclusive()


def test_the_reason_is_the_last_error_and_not_what_java_said_while_it_went() -> None:
    said = (
        "[main] ERROR kafka.Kafka - Exiting\n"
        "org.apache.kafka.common.KafkaException: Socket server failed to bind\n"
        "\tat kafka.network.Acceptor.open(Acceptor.java:1)\n"
        "Caused by: java.net.BindException: Address already in use\n"
        "\t... 10 more\n"
        "[hook] WARN kafka.Kafka - shutting down\n"
    )
    assert kafka._last_line(said) == "Caused by: java.net.BindException: Address already in use"
    assert kafka._last_line("killed\n") == "killed"
    assert kafka._last_line("") == "it said nothing"
