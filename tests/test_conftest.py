"""The suite's own rules: what is left out, what is skipped, and that a broker which does not start is never a skip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
CONFTEST = """
import pytest
from infra import broker

@pytest.fixture(scope="session", autouse=True)
def no_broker_starts():
    def start(*_, **__):
        raise broker.BrokerError("no broker today")
    broker.start = start
"""
TESTS = """
import pytest

def test_with_a_broker(broker):
    pass

@pytest.mark.kafka
def test_marked_by_hand():
    pass

@pytest.mark.soak
def test_that_is_long():
    pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite of three tests under our fixtures and hooks, where no broker starts."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    kafka\n    soak\n")
    return tmp_path


def run(suite: Path, *arguments: str, **environment: str) -> str:
    """What pytest says."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-rsE", *arguments, str(suite)]
    without = {name: value for name, value in os.environ.items() if name != "ANNALS_WITHOUT_KAFKA"}
    return subprocess.run(
        command, cwd=suite, env={**without, "PYTHONPATH": str(CHECKOUT), **environment}, capture_output=True, text=True, check=False
    ).stdout


def test_a_broker_that_does_not_start_is_an_error_and_long_tests_are_left_out(suite: Path) -> None:
    said = run(suite)
    assert "BrokerError: no broker today" in said
    assert "1 passed, 1 deselected, 1 error" in said
    assert "kafka tests against a real broker: 1 passed" in said


def test_without_kafka_is_a_skip_that_says_so(suite: Path) -> None:
    said = run(suite, ANNALS_WITHOUT_KAFKA="1")
    assert "ANNALS_WITHOUT_KAFKA=1: nothing that this test says about Kafka was tried" in said
    assert "1 passed, 1 skipped, 1 deselected" in said


def test_long_tests_run_when_they_are_asked_for(suite: Path) -> None:
    assert "1 passed, 2 deselected" in run(suite, "-m", "soak")
