"""PostgreSQL's errors as sentences. Its first line alone: what follows may quote the data."""

from __future__ import annotations

import psycopg2

from infra.log.contract import LogError, LogMisconfigured, LogUnreachable


def explained(error: Exception) -> LogError:
    """The error as the log's callers know it."""
    if isinstance(error, LogError):
        return error
    if isinstance(error, psycopg2.errors.UndefinedTable | psycopg2.errors.InvalidSchemaName):
        return LogMisconfigured("The log's tables are missing in this database; start `crm serve` once, which creates them.")
    if isinstance(error, psycopg2.errors.InsufficientPrivilege):
        return LogMisconfigured("The database user has no right to the schemas log and keys; grant it, or use their owner.")
    first = str(error).strip().partition("\n")[0].rstrip(".")
    why = f"{type(error).__name__}: {first}"
    return LogUnreachable(f"PostgreSQL, which holds the log, did not answer ({why}); look whether it runs, then try again.")
