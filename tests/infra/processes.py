"""Processes of ours that a test starts, and kills as hard as it likes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.log.contract import Topic
from infra.settings import Settings

ROOT = Path(__file__).parents[2]


def start(settings: Settings, module: str, *arguments: str) -> subprocess.Popen[str]:
    """`python -m module …` with these settings; it ends by itself when its standard input does, if it listens to it."""
    environment = {**os.environ, **settings.to_environment(), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-P", "-m", module, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)


@contextmanager
def process(settings: Settings, module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The same, gone at the end whatever happened."""
    running = start(settings, module, *arguments)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


@contextmanager
def indexing_process(settings: Settings, *topics: Topic) -> Iterator[subprocess.Popen[str]]:
    """The product's own worker, indexing these topics."""
    with process(settings, "consumers", "index", *(topic.value for topic in topics or Topic)) as running:
        yield running
