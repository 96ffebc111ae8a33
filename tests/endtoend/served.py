"""A running `crm serve`, and what a test asks of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.endtoend.installation import Installation
from tests.faults import free_port, wait_until


@dataclass
class Served:
    """One server: its process and where it answers."""

    one: Installation
    process: subprocess.Popen[str]
    port: int

    def get(self, path: str, seconds: float = 30.0) -> tuple[int, str, str]:
        """Status, content type, body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.headers.get_content_type(), answer.read().decode()
        finally:
            connection.close()

    def problem(self) -> dict[str, Any] | None:
        """What /readyz says is wrong; None if nothing is. It must be a problem document."""
        status, kind, body = self.get("/readyz")
        if status == 200:
            return None
        assert (status, kind) == (503, "application/problem+json")
        found: dict[str, Any] = json.loads(body)
        assert found["status"] == 503
        assert found["detail"].endswith((".", "?"))
        return found

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def children(self) -> dict[int, str]:
        """The processes that it started, by number."""
        found = {}
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            for pid in (task / "children").read_text().split():
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                if "postgres" not in command.split(" ")[0] and command:
                    found[int(pid)] = command.strip()
        return found


@contextmanager
def served(one: Installation, *, stop: signal.Signals = signal.SIGTERM, group: bool = False) -> Iterator[Served]:
    """Serve until the block ends, then stop it with this signal. Fails if it does not get ready, or does not stop in order."""
    port = free_port()
    process = one.start("serve", "--port", port)
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line == f"ready http://127.0.0.1:{port}\n", (line, process.stderr.read() if not line else "")
    server = Served(one, process, port)
    try:
        wait_until(server.is_ready, 60, what="readiness")
        yield server
    finally:
        if process.poll() is None:
            (os.killpg if group else os.kill)(process.pid, stop)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (process.returncode, out, err)
    assert "Traceback" not in err, err
