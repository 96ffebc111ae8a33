"""One installation as a stranger has it: the `crm` command, a data folder, an environment; and a look behind it for the tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from consumers.projecting.digests import Digests, table_digests
from infra.postgres.connection import connect
from infra.postgres.server import open_server
from projections.registry import PROJECTIONS
from tests.faults import wait_until

CRM = Path(sys.executable).with_name("crm")
SECONDS = 180.0
"""A command of these tests that takes longer hangs."""


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code, what it printed, what it said on stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The last line of the output."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


@dataclass
class Installation:
    """`environment`: settings of its own, `CRM_DATA` among them. Commands run in `work`, where they leave their files."""

    work: Path
    environment: dict[str, str]
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return Path(self.environment["CRM_DATA"])

    @property
    def is_kafka(self) -> bool:
        return self.environment.get("CRM_LOG") == "kafka"

    def with_(self, **changes: str) -> Installation:
        """The same with other settings; shares its folder for work."""
        return Installation(self.work, {**self.environment, **changes}, self._running)

    def crm(self, *arguments: object, code: int | None = 0, seconds: float = SECONDS, **more: Any) -> Done:
        """Run a command to its end. Fails the test if its exit code is not `code`, or if it ever shows a traceback."""
        process = self.start(*arguments, **more)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError(f"crm {arguments} took longer than {seconds} s\n{out}\n{err}") from None
        assert "Traceback" not in err + out, err + out
        assert code is None or process.returncode == code, (process.returncode, out, err)
        return Done(process.returncode, out, err)

    def start(self, *arguments: object, **more: Any) -> subprocess.Popen[str]:
        """Start a command, leader of a process group of its own, as a shell would."""
        process = subprocess.Popen(
            [str(CRM), *map(str, arguments)],
            cwd=self.work,
            env=_clean_environment(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **more,
        )
        self._running.append(process)
        return process

    def imports(self, *arguments: object, seconds: float = SECONDS) -> dict[str, Any]:
        """`crm import`: its counts."""
        return self.crm("import", "--json", *arguments, seconds=seconds).json

    @contextmanager
    def server(self) -> Iterator[str]:
        """Hold PostgreSQL open, as another command would; its address."""
        if database := self.environment.get("CRM_DATABASE"):
            yield database
            return
        with open_server(self.data) as server:
            yield server.dsn

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says."""
        with self.server() as dsn:
            connection = connect(dsn, autocommit=True)
            try:
                with connection.cursor() as cursor:
                    cursor.execute(query, values or None)
                    return cursor.fetchall() if cursor.description else []
            finally:
                connection.close()

    def digests(self) -> dict[str, Digests]:
        """Of every table of every read model."""
        with self.server() as dsn:
            connection = connect(dsn, autocommit=False)
            try:
                with connection, connection.cursor() as cursor:
                    return {name: one for projection in PROJECTIONS for name, one in table_digests(cursor, "read", projection).items()}
            finally:
                connection.close()

    def content(self) -> dict[str, str]:
        """The digests that are the same wherever the same was recorded."""
        return {name: one.content for name, one in self.digests().items()}

    def full(self) -> dict[str, str]:
        """The digests of every column: the same as long as the log is."""
        return {name: one.full for name, one in self.digests().items()}

    def is_caught_up(self) -> bool:
        """Whether index and read models have all that the log holds, as `crm lag` says."""
        done = self.crm("lag", "--json", code=None)
        return done.code == 0 and all(reader["records"] == 0 for reader in done.json["readers"])

    def is_projected(self) -> bool:
        """Whether the read models have folded all of the index; false where there are none."""
        try:
            behind = self.ask("""
                SELECT count(*) FROM index.checkpoint i LEFT JOIN read.checkpoint r ON r.partition = i.topic || i.partition
                WHERE i.topic IN ('d', 'f') AND r.next_offset IS DISTINCT FROM i.next_offset""")
            tables = self.ask("SELECT count(DISTINCT projection) FROM read.checkpoint")
        except psycopg2.Error:
            return False
        return behind == [(0,)] and tables == [(len(PROJECTIONS),)]

    def project(self) -> None:
        """Let the read models fold all of the index: whoever comes next finds them caught up."""
        with self.server(), self.running("project"):
            wait_until(self.is_projected, 120, what="the read models")

    @contextmanager
    def running(self, *arguments: object) -> Iterator[subprocess.Popen[str]]:
        """A command that runs until it is told to stop, from its first line on for as long as this lasts."""
        process = self.start(*arguments)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.terminate()
            out, err = process.communicate(timeout=60)
        assert "Traceback" not in err + out, err + out
        assert process.returncode == 0, (process.returncode, out, err)

    def total(self) -> Any:
        """Of the ledger, whosever it is."""
        query = "SELECT coalesce(sum(CASE kind WHEN 'return' THEN -total ELSE total END), 0) FROM read.ledger_entry WHERE active"
        return self.ask(query)[0][0]

    def close(self) -> None:
        """End what still runs and remove the data."""
        for process in self._running:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            with suppress(ValueError):
                process.communicate()
        for pid in processes_of(self.data):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not processes_of(self.data), 20, what="the last processes")
        shutil.rmtree(self.data, ignore_errors=True)


def processes_of(data: Path) -> dict[int, str]:
    """Every living process that was started for this data folder, with its command line: ours, PostgreSQL, a broker."""
    mark, found = os.fsencode(data), {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):  # it may end meanwhile
            command = (entry / "cmdline").read_bytes()
            if mark in command or b"CRM_DATA=" + mark + b"\0" in (entry / "environ").read_bytes() + b"\0":
                found[int(entry.name)] = command.replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return found


def _clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours without any setting of ours and without a Python path: what a stranger's shell would have."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CRM_", "PYTHON"))}
    return {**kept, **settings}
