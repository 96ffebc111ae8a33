"""Locks between processes: `flock` on a file. The kernel lets go of them when their holder dies, whatever killed it."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Self


class FileLock:
    """One file or folder and, while it is held, one open descriptor. Two FileLocks on one file exclude each other, even in one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        how = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
        self.fd = os.open(path, how | os.O_CLOEXEC, 0o600)

    def exclusive(self) -> bool:
        """Take it alone; False if anybody else holds it. A shared hold of this object's own is given up in either case."""
        return self._take(fcntl.LOCK_EX)

    def shared(self) -> bool:
        """Take it together with others; False if somebody holds it alone."""
        return self._take(fcntl.LOCK_SH)

    def exclusive_within(self, seconds: float) -> bool:
        """Take it alone, waiting up to `seconds` for the others; False if they are still there."""
        deadline = time.monotonic() + seconds
        while not self.exclusive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def close(self) -> None:
        """Let go, unless a child was given the descriptor: then the lock lasts as long as the child. May be repeated."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _take(self, how: int) -> bool:
        try:
            fcntl.flock(self.fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
