"""Other processes that use an embedded server: in a session of their own, so that a test can end them as a terminal would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from infra.postgres import account

CHECKOUT = Path(__file__).resolve().parents[3]

USER = """
import sys
from pathlib import Path
from infra.postgres.server import ServerError, open_server
try:
    with open_server(Path(sys.argv[1])) as server:
        print(server.pid, flush=True)
        sys.stdin.readline()
except ServerError as error:
    print("refused:", error, flush=True)
"""


class Program:
    """A Python process running `source`; ends when its standard input does."""

    def __init__(self, source: str, *arguments: object, before: tuple[str, ...] = ()) -> None:
        command = [*before, sys.executable, "-c", source, *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        self.process = subprocess.Popen(
            command, cwd="/", env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def interrupt(self) -> None:
        """Ctrl-C, as the terminal sends it: to everything in its group."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.wait()

    def kill(self) -> None:
        self.process.kill()
        self.wait()

    def end(self) -> int:
        """Let it end by itself; its exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.kill()
        assert self.process.stdout
        self.process.stdout.close()


@contextmanager
def user_of(folder: Path, *, before: tuple[str, ...] = ()) -> Iterator[Program]:
    """A process that opens the server of `folder` and prints its number, or why not."""
    with Program(USER, folder, before=before) as program:
        yield program


def as_ordinary_user(uid: int) -> tuple[str, ...]:
    """Put before a command: run it as this user, who may read everything (for a Python below /root), but write only what is theirs."""
    return (sys.executable, "-I", "-S", str(account.LAUNCHER), str(uid), str(uid), str(account.CAP_DAC_READ_SEARCH))
