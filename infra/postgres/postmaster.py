"""What postmaster.pid says, whether it is true, and where the socket is."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from infra.postgres.installation import PORT

SOCKET_PATH_LIMIT = 103  # bytes without the end mark, on the strictest system (macOS); Linux allows 107
SOCKET_PREFIX = "annals-"
SOCKET = f".s.PGSQL.{PORT}"


@dataclass(frozen=True)
class PidFile:
    """What we need of postmaster.pid (PostgreSQL, miscadmin.h, "LOCK_FILE_LINE_…")."""

    pid: int
    sockets: Path | None


def read_pid_file(data: Path) -> PidFile | None:
    """None if there is none, or none that is whole enough to name a process."""
    try:
        lines = (data / "postmaster.pid").read_text("utf-8", "surrogateescape").splitlines()
        sockets = lines[4] if len(lines) > 4 else ""
        return PidFile(abs(int(lines[0])), Path(sockets) if sockets else None)
    except (OSError, ValueError, IndexError):
        return None


def is_postmaster(pid: int, data: Path) -> bool:
    """Whether this process is a postgres that runs in `data`; numbers are given again, so being alive says nothing."""
    if Path("/proc/self/cwd").exists():
        try:
            return Path(f"/proc/{pid}/comm").read_text("utf-8").strip() == "postgres" and Path(f"/proc/{pid}/cwd").samefile(data)
        except OSError:
            return False
    listed = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, errors="replace", check=False)  # noqa: S607
    return "postgres" in listed.stdout and str(data) in listed.stdout


def socket_folder(data: Path, old: PidFile | None, own: Callable[[Path], None]) -> Path:
    """Where the socket goes: beside the data, or, where such an address is too long or has a comma, a private folder under /tmp.

    old: of the server that died here; its private folder is used again, so that the address stays what it was.
    """
    if "," not in str(data) and not str(data).startswith("@") and _fits(data):
        return data
    if old and old.sockets and is_private(old.sockets, data) and old.sockets.name.startswith(SOCKET_PREFIX):
        return old.sockets
    made = Path(mkdtemp(prefix=SOCKET_PREFIX, dir="/tmp"))  # short, and of mode 700
    own(made)
    return made


def is_private(folder: Path, data: Path) -> bool:
    """Whether only the owner of `data` (or root) can have put a socket there; a name under /tmp can be anybody's by now."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return status.st_uid == data.stat().st_uid and not status.st_mode & 0o022


def remove_traces(data: Path, sockets: Path) -> None:
    """Remove what a dead server left. PostgreSQL would believe the numbers in there, be they a zombie's or another program's."""
    for trace in (data / "postmaster.pid", sockets / SOCKET, sockets / f"{SOCKET}.lock"):
        trace.unlink(missing_ok=True)


def remove_socket_folder(sockets: Path) -> None:
    """Remove a private folder that `socket_folder` made."""
    if sockets.name.startswith(SOCKET_PREFIX):
        shutil.rmtree(sockets, ignore_errors=True)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET)) <= SOCKET_PATH_LIMIT
