"""Fixtures that everybody uses: a database of one's own, a real broker, the real data sets."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from infra.postgres.connection import Cursor
from infra.postgres.database import address
from infra.postgres.installation import SUPERUSER
from infra.postgres.server import EmbeddedServer, open_server
from tests.faults import Broker, free_port
from tests.scratch import scratch_folder, sweep

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
WITHOUT_KAFKA = "ANNALS_WITHOUT_KAFKA"
REAL_BROKER = ("kafka", "real broker")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedServer]:
    """An embedded PostgreSQL for this run. It does not wait for the disk, so only a crash of the machine could lose something."""
    with scratch_folder() as folder, open_server(folder / "data", say=print) as server:
        with _superuser(server) as cursor:
            cursor.execute("ALTER SYSTEM SET fsync = off")
            cursor.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def dsn(postgres_server: EmbeddedServer) -> Iterator[str]:
    """The address of an empty database of this test's own, dropped afterwards with whoever is still connected."""
    name = f"test_{next(_numbers)}"
    with _superuser(postgres_server) as cursor:
        cursor.execute(f"CREATE DATABASE {name} OWNER annals STRATEGY file_copy")
    yield address(_sockets(postgres_server), database=name)
    postgres_server.ensure_running()  # a test may have killed it
    with _superuser(postgres_server) as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """A real Kafka broker, started when the first test needs it. One that does not start is a failure, never a skip."""
    if os.environ.get(WITHOUT_KAFKA) == "1":
        pytest.skip(f"{WITHOUT_KAFKA}=1: nothing that this test says about Kafka was tried")
    with scratch_folder() as folder:
        kafka = Broker(folder / "kafka", free_port())
        kafka.restart()
        yield kafka
        kafka.stop()


@pytest.fixture(autouse=True)
def _broker_runs_for_the_next_test(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "broker" in request.fixturenames and os.environ.get(WITHOUT_KAFKA) != "1":
        kafka: Broker = request.getfixturevalue("broker")
        kafka.heal()


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data sets beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip(
            f"the real data sets are not there; put them into {SHARED_DATA.relative_to(SHARED_DATA.parents[2])} beside the checkout"
        )
    return SHARED_DATA


def pytest_sessionstart() -> None:
    """A run that was killed could not end its servers."""
    sweep()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a broker; leave the long repetitions out unless they are asked for."""
    for item in items:
        if "broker" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kafka)
        if item.get_closest_marker("kafka"):
            item.user_properties.append(REAL_BROKER)
    if "soak" not in config.option.markexpr:
        soak = [item for item in items if item.get_closest_marker("soak")]
        if soak:
            config.hook.pytest_deselected(items=soak)
            items[:] = [item for item in items if item not in soak]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for CI to count."""
    passed = [report for report in terminalreporter.getreports("passed") if report.when == "call" and REAL_BROKER in report.user_properties]
    terminalreporter.write_line(f"kafka tests against a real broker: {len(passed)} passed")


@contextmanager
def _superuser(server: EmbeddedServer) -> Iterator[Cursor]:
    connection = psycopg2.connect(address(_sockets(server), SUPERUSER, "postgres"))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def _sockets(server: EmbeddedServer) -> Path:
    return Path(str(parse_dsn(server.dsn)["host"]))
