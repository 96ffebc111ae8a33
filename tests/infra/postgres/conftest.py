"""Data folders of the test's own, whose servers are ended whatever the test did."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.postgres.server import open_server
from tests.scratch import scratch_folder


@pytest.fixture
def new_folder() -> Iterator[Path]:
    """A data folder that is not there yet, below a closed one (mode 700)."""
    with scratch_folder() as parent:
        yield parent / "data"


@pytest.fixture
def folder(new_folder: Path, _made_once: Path) -> Path:
    """A data folder that was in use before, its server stopped."""
    subprocess.run(["cp", "-a", _made_once, new_folder], check=True)
    return new_folder


@pytest.fixture(scope="session")
def _made_once() -> Iterator[Path]:
    with scratch_folder() as parent:
        open_server(parent / "data").close()
        yield parent / "data"
