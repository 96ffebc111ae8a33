"""docker-compose.yml is what the compose specification allows, and keeps the log as the design demands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FILE = Path(__file__).parent.parent / "docker-compose.yml"
COMPOSE: dict[str, Any] = YAML(typ="safe").load(FILE)
KAFKA = COMPOSE["services"]["kafka"]


def against_the_specification(file: Path) -> subprocess.CompletedProcess[str]:
    """check-jsonschema carries the specification's schema, so no network is needed."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def listeners(name: str) -> dict[str, str]:
    """{listener: host:port} of a setting such as `HOST://:9092,INSIDE://:19092`."""
    return dict(part.split("://") for part in KAFKA["environment"][name].split(","))


def test_the_file_is_a_compose_file(tmp_path: Path) -> None:
    checked = against_the_specification(FILE)
    assert checked.returncode == 0, checked.stdout
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(FILE.read_text("utf-8").replace("restart:", "restarted:"), "utf-8")
    assert against_the_specification(wrong).returncode == 1


def test_every_service_has_a_fixed_version_a_health_check_and_a_volume_that_is_declared() -> None:
    for service in COMPOSE["services"].values():
        _, _, tag = service["image"].partition(":")
        assert tag[:1].isdigit()
        assert service["healthcheck"]["test"][0] == "CMD"
        (volume,) = service["volumes"]
        assert volume.split(":")[0] in COMPOSE["volumes"]


def test_nothing_listens_beyond_this_machine() -> None:
    assert all(port.startswith("127.0.0.1:") for service in COMPOSE["services"].values() for port in service["ports"])


def test_kafka_keeps_its_log_on_the_volume_for_ever() -> None:
    environment = KAFKA["environment"]
    assert environment["KAFKA_LOG_DIRS"] == KAFKA["volumes"][0].split(":")[1]
    assert environment["KAFKA_LOG_RETENTION_MS"] == "-1"
    assert environment["KAFKA_LOG_FLUSH_INTERVAL_MESSAGES"] == "1"
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_kafka_is_reached_where_it_says_it_is() -> None:
    heard, said = listeners("KAFKA_LISTENERS"), listeners("KAFKA_ADVERTISED_LISTENERS")
    assert {name: address.rpartition(":")[2] for name, address in said.items()} == {
        name: address.rpartition(":")[2] for name, address in heard.items() if name != "CONTROLLER"
    }
    assert said["HOST"].endswith(":" + KAFKA["ports"][0].rpartition(":")[2])
    assert set(heard) == {part.split(":")[0] for part in KAFKA["environment"]["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")}


def test_every_value_reaches_the_container_as_it_is_written() -> None:
    """YAML reads a bare false, -1 or 08 as something else than its letters."""
    for service in COMPOSE["services"].values():
        assert all(isinstance(value, str) for value in service["environment"].values())


def test_postgres_has_no_password_of_ours() -> None:
    assert COMPOSE["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
