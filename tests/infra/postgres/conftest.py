"""Data folders of the test's own, whose servers are ended whatever the test did."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.postgres.process import ServerProcess
from infra.postgres.server import open_server
from tests.faults import quick_folder, wait_until


@pytest.fixture
def new_folder() -> Iterator[Path]:
    """A data folder that is not there yet, below a closed one (mode 700)."""
    parent = quick_folder("annals-test-")
    yield parent / "data"
    for locks in parent.rglob("locks"):
        _end(ServerProcess(locks.parent))
    shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture
def folder(new_folder: Path, _made_once: Path) -> Path:
    """A data folder that was in use before, its server stopped."""
    subprocess.run(["cp", "-a", _made_once, new_folder], check=True)
    return new_folder


@pytest.fixture(scope="session")
def _made_once() -> Iterator[Path]:
    parent = quick_folder("annals-test-")
    open_server(parent / "data").close()
    yield parent / "data"
    shutil.rmtree(parent, ignore_errors=True)


def _end(server: ServerProcess) -> None:
    if server.alive():
        os.kill(server.pid(), signal.SIGQUIT)
        wait_until(lambda: not server.alive(), 30, what="the server's end")
