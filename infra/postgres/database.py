"""The database in the embedded server, and who may use it: a role that is no superuser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg2

from infra.postgres.connection import Cursor
from infra.postgres.errors import ServerError
from infra.postgres.installation import PORT, SUPERUSER

DATABASE = "annals"
ROLE = "annals"
# It can neither run programs nor read files. The roles are for `crm lag`, for backups, and for erasure, which has to be sure
# that no clear text is left in PostgreSQL's files; CREATEDB is for tests and for a rebuild beside the running database.
RIGHTS = "LOGIN CREATEDB IN ROLE pg_checkpoint, pg_maintain, pg_monitor"

NOT_YET = (
    "starting up",
    "shutting down",
    "recovery",
    "not yet accepting",
    "No such file",
    "refused",
    "too many clients",
    "reserved",
    "timeout",
    "closed",
)


def address(sockets: Path, role: str = ROLE, database: str = DATABASE) -> str:
    """A libpq URL through the socket in this folder."""
    return f"postgresql://{role}@/{database}?host={quote(os.fsencode(sockets), safe='')}&port={PORT}"


def answers(sockets: Path) -> bool:
    """Whether the server lets us in; False if it may do so soon. Raises ServerError if it never will."""
    try:
        psycopg2.connect(address(sockets, SUPERUSER, "postgres"), connect_timeout=5).close()
    except psycopg2.OperationalError as error:
        if any(word in str(error) for word in NOT_YET):
            return False
        raise ServerError(f"PostgreSQL does not let us in: {str(error).strip().splitlines()[-1]}.") from error
    return True


def require_database(sockets: Path) -> None:
    """Make the role and the database if they are not there."""
    with _superuser(sockets, "postgres") as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", (DATABASE,))
        if cursor.fetchone() == (True,):
            return
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", (ROLE,))
        if cursor.fetchone() == (False,):
            cursor.execute(f"CREATE ROLE {ROLE} {RIGHTS}")
    with _superuser(sockets, "template1") as cursor:  # each database copies it; nobody may be connected to it meanwhile
        cursor.execute(f"GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {ROLE}")
    with _superuser(sockets, "postgres") as cursor:
        cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")


@contextmanager
def _superuser(sockets: Path, database: str) -> Iterator[Cursor]:
    try:
        connection = psycopg2.connect(address(sockets, SUPERUSER, database), connect_timeout=10)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise ServerError(f"PostgreSQL could not prepare the database {DATABASE}: {str(error).strip()}.") from error
