"""What there is: index, read models and where each of them stands, all in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from consumers.projecting.digests import Digests, table_digests
from consumers.projecting.redaction import owners_to_redact
from consumers.verifying.report import NAMED, Report
from infra.crm import Crm
from infra.postgres.connection import Connection, Cursor, connect
from projections.batch import Projection
from projections.registry import PROJECTIONS


@dataclass(frozen=True)
class Live:
    """What there is, in one snapshot that stays open: a server that goes on does not change it."""

    connection: Connection
    index: Mapping[str, tuple[int, bytes]]
    """(next offset, digest) by partition of decisions and facts."""
    read: Mapping[str, Mapping[str, int]]
    """Next offsets by projection and partition."""
    digests: Mapping[str, Mapping[str, Digests]]
    parked: Mapping[str, set[Any]]
    erased: int
    """How many people have been erased."""


@contextmanager
def look(crm: Crm, report: Report) -> Iterator[Live]:
    connection = connect(crm.dsn, autocommit=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT topic || partition, next_offset, digest FROM index.checkpoint WHERE topic IN ('d', 'f')")
            index = {name: (offset, bytes(digest)) for name, offset, digest in cursor.fetchall()}
            cursor.execute("SELECT projection, partition, next_offset FROM read.checkpoint")
            read: dict[str, dict[str, int]] = {}
            for projection, name, offset in cursor.fetchall():
                read.setdefault(projection, {})[name] = offset
            digests = {projection.name: table_digests(cursor, "read", projection) for projection in PROJECTIONS}
            parked = {projection.name: parked_of(cursor, "read", projection) for projection in PROJECTIONS}
            _find_beyond(cursor, report)
            report.findings += [
                f"Somebody was erased and still stands in the read model {projection.name}; let `crm serve` run, then verify again."
                for projection in PROJECTIONS
                if owners_to_redact(cursor, projection, "read", "index")
            ]
            erased = erased_count(cursor)
        yield Live(connection, index, read, digests, parked, erased)
    finally:
        connection.close()


def _find_beyond(cursor: Cursor, report: Report) -> None:
    """In one snapshot no row can stand where its partition has not been read."""
    for table in ("event", "refused"):
        cursor.execute(
            f"""SELECT r.topic, r.partition, r.log_offset FROM index.{table} r WHERE NOT EXISTS (
                    SELECT FROM index.checkpoint c WHERE c.topic = r.topic AND c.partition = r.partition AND c.next_offset > r.log_offset)
                ORDER BY 1, 2, 3 LIMIT {NAMED}"""
        )
        for letter, partition, offset in cursor.fetchall():
            report.findings.append(f"What stands at {letter}{partition}:{offset} is not in the log but in index.{table}.")


def erased_count(cursor: Cursor) -> int:
    cursor.execute("SELECT count(*) FROM index.erased_owner")
    (number,) = cursor.fetchone() or (0,)
    return int(number)


def parked_of(cursor: Cursor, schema: str, projection: Projection) -> set[Any]:
    cursor.execute(
        f'SELECT projection, key, partition, log_offset, place, type, reason FROM "{schema}".parked WHERE projection = %s',
        (projection.name,),
    )
    return set(cursor.fetchall())
