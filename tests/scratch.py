"""Folders for servers that tests start. A run that was killed leaves servers behind; the next run ends them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir

from infra import broker
from infra.postgres.locks import FileLock
from infra.postgres.process import ServerProcess
from tests.faults import MEMORY, quick_folder

PREFIX = "annals-test-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new closed folder; at the end whatever runs in it is ended, and it is removed."""
    folder = quick_folder(PREFIX)
    with FileLock(folder / "in-use") as lock:
        lock.exclusive()
        try:
            yield folder
        finally:
            _clear(folder)


def sweep() -> None:
    """Clear the folders whose run is gone: nobody holds their lock."""
    for place in (MEMORY, Path(gettempdir())):
        for folder in place.glob(f"{PREFIX}*"):
            with suppress(OSError):  # another user's, or another run sweeps it too
                if time.time() - folder.stat().st_mtime < 60:
                    continue  # perhaps not locked yet
                with FileLock(folder / "in-use") as lock:
                    if lock.exclusive():
                        _clear(folder)


def _clear(folder: Path) -> None:
    for lock in folder.rglob("broker.lock"):
        broker.kill(lock.parent)
    for locks in folder.rglob("locks"):
        server = ServerProcess(locks.parent)
        if server.alive():
            server.stop(10)
    shutil.rmtree(folder, ignore_errors=True)
