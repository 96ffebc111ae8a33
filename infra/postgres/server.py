"""The embedded PostgreSQL: whoever comes first starts it, the others join, the last to leave stops it.

Three flock files say how things stand, and need no process numbers, so they are right whatever was killed:
`locks/start` is held while somebody starts or stops it; `locks/users` is held, shared, by each process that uses it;
`locks/server` is inherited by the server and held until its last process is gone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from infra.postgres.database import address, answers, require_database
from infra.postgres.errors import FolderError, ServerError, explained
from infra.postgres.folder import claim_folder
from infra.postgres.locks import FileLock
from infra.postgres.process import ServerProcess

__all__ = ["EmbeddedServer", "FolderError", "ServerError", "open_server"]

logger = logging.getLogger(__name__)

START_SECONDS = 900.0
"""How long a server may recover after a crash before we give up waiting; it goes on by itself."""
STOP_SECONDS = 120.0
SAY_SECONDS = 5.0


class StillStarting(ServerError):
    """It is there and works towards an answer."""


def open_server(folder: Path, *, say: Callable[[str], None] = logger.info) -> EmbeddedServer:
    """Start, or join, the PostgreSQL whose data is in `folder/postgres`; make both if they are not there.

    say: told, as sentences, what a long wait is for. Raises ServerError (FolderError if it is about the folder).
    """
    server = EmbeddedServer(claim_folder(folder), say)
    try:
        server.ensure_running()
    except StillStarting:
        server.leave()  # stopping it now would only make it begin again
        raise
    except BaseException:
        server.close()
        raise
    return server


class EmbeddedServer:
    """One process's use of the server. Close it when done: the last one stops the server."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.data = folder / "postgres"
        self.dsn = ""
        self._say = say
        self._process = ServerProcess(folder)
        with explained(folder):
            self._users = FileLock(folder / "locks" / "users")

    @property
    def pid(self) -> int:
        """The process number of the server, 0 if it has none just now."""
        return self._process.pid()

    def ensure_running(self) -> None:
        """Start the server again if it has died; its address stays the same. Raises ServerError."""
        with self._turn(START_SECONDS + STOP_SECONDS), explained(self.data):
            self._users.shared()
            sockets = self._sockets_of_running_server()
            require_database(sockets)
            self.dsn = address(sockets)

    def close(self) -> None:
        """Leave; if nobody else is here, stop the server. May be repeated. Says, rather than raises, what went wrong."""
        if self._users.fd < 0:
            return
        try:
            with self._turn(STOP_SECONDS):
                if self._users.exclusive() and self._process.alive() and not self._process.stop(STOP_SECONDS):
                    logger.warning("PostgreSQL in %s does not stop; process %d is still there.", self.data, self.pid)
        except (ServerError, OSError) as error:
            logger.warning("PostgreSQL was not stopped: %s", error)
        finally:
            self.leave()

    def leave(self) -> None:
        """Go without stopping the server, be there others or not."""
        self._users.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def _turn(self, patience: float) -> Iterator[None]:
        """Only one process at a time starts, joins or stops the server."""
        with explained(self.folder):
            lock = FileLock(self.folder / "locks" / "start")
        with lock:
            if not lock.exclusive_within(1):
                self._say(f"Waiting for another process that starts or stops PostgreSQL in {self.data}.")
                if not lock.exclusive_within(patience):
                    raise ServerError(
                        f"Another process has been starting or stopping PostgreSQL in {self.data} for too long; end it, then try again."
                    )
            yield

    def _sockets_of_running_server(self) -> Path:
        """Where it answers; starts it first if there is none. One that is just going is waited for, then started anew."""
        since = told = time.monotonic()
        started = False
        while True:
            if not self._process.alive():
                if started:
                    raise ServerError(self._process.failure())
                self._process.start()
                started = True
            sockets = self._process.sockets()
            if sockets and answers(sockets):
                return sockets
            now = time.monotonic()
            if now - since > START_SECONDS:
                raise StillStarting(
                    f"PostgreSQL in {self.data} is not ready after {START_SECONDS:.0f} seconds; it goes on, so try again later."
                )
            if now - told > SAY_SECONDS:
                told = now
                self._say(f"PostgreSQL in {self.data} is starting, or recovering after a crash: {now - since:.0f} seconds so far.")
            time.sleep(0.02)
