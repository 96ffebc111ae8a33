"""The server's process: started with the lock that says it lives, found again, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from infra.postgres import postmaster
from infra.postgres.account import server_account
from infra.postgres.cluster import require_cluster
from infra.postgres.errors import why_it_failed
from infra.postgres.installation import ENVIRONMENT, OPTIONS, binary
from infra.postgres.locks import FileLock

_started: list[subprocess.Popen[bytes]] = []
"""What this process started: a child that ends stays a zombie until its parent asks, and may end after we have left the server."""


class ServerProcess:
    """The PostgreSQL of one data folder, whoever started it. Call only while holding `locks/start`."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "postgres"
        self.log = folder / "postgres.log"
        self.life = folder / "locks" / "server"
        self._log_size_at_start = 0

    def alive(self) -> bool:
        """Whether any process of the server is left. One that somebody started by hand has no lock of ours, but a pid file."""
        _started[:] = [child for child in _started if child.poll() is None]
        with FileLock(self.life) as life:
            if not life.shared():
                return True
        running = postmaster.read_pid_file(self.data)
        return running is not None and postmaster.is_postmaster(running.pid, self.data)

    def pid(self) -> int:
        """Its number, 0 if there is none."""
        running = postmaster.read_pid_file(self.data)
        return running.pid if running else 0

    def sockets(self) -> Path | None:
        """The folder of its socket; None as long as it has none, or if somebody else could have put one there."""
        running = postmaster.read_pid_file(self.data)
        if running is None or running.sockets is None or not postmaster.is_private(running.sockets, self.data):
            return None
        return running.sockets

    def start(self) -> None:
        """Start it, and make its data first if there is none; it is not ready yet. Only if it is not alive. Raises ServerError."""
        with FileLock(self.life) as life:
            life.exclusive_within(5)  # others look at it for a moment
            require_cluster(self.data, life.fd)
            old = postmaster.read_pid_file(self.data)
            account, postgres = server_account(), binary("postgres")
            sockets = postmaster.socket_folder(self.data, old, account.own)
            postmaster.remove_traces(self.data, sockets)
            options = [part for name, value in OPTIONS.items() for part in ("-c", f"{name}={value}")]
            command = account.command(postgres, "-D", str(self.data), "-k", str(sockets), *options, touching=[self.data, sockets])
            with self.log.open("ab") as log:
                self._log_size_at_start = log.tell()
                # A session of its own: Ctrl-C in the terminal is for us, and we stop it in order.
                child = subprocess.Popen(
                    command,
                    env=ENVIRONMENT,
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[life.fd],
                    start_new_session=True,
                )
            _started.append(child)

    def failure(self) -> str:
        """Why it did not start, as a sentence."""
        with self.log.open("rb") as log:
            log.seek(self._log_size_at_start)
            return why_it_failed(self.data, log.read().decode("utf-8", "replace"))

    def stop(self, patience: float) -> bool:
        """Fast shutdown, then an immediate one (its next start recovers). False if it is still there after both."""
        sockets = self.sockets()
        for how, seconds in ((signal.SIGINT, patience), (signal.SIGQUIT, 30.0)):
            running = postmaster.read_pid_file(self.data)
            if running and postmaster.is_postmaster(running.pid, self.data):
                os.kill(running.pid, how)
            deadline = time.monotonic() + seconds
            while self.alive():
                if time.monotonic() > deadline:
                    break
                time.sleep(0.02)
            else:
                if sockets:
                    postmaster.remove_socket_folder(sockets)
                return True
        return False
