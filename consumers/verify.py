"""Verification: the log is read again from offset 0 into scratch tables, by the same code, and compared with what is there.

A running server does no harm: what is compared is fixed in one snapshot at the beginning. Scratch schemas are dropped at the end,
and those of a run that was killed by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from consumers.indexing.indexer import Indexer
from consumers.projecting.digests import Digests, table_digests
from consumers.projecting.projector import Projector
from consumers.projecting.schema import create_read_models
from infra.crm import Crm
from infra.log.contract import Topic
from infra.postgres.connection import Cursor, connect
from infra.postgres.leases import take_lease
from infra.postgres.schema import create_index
from projections.batch import Projection
from projections.registry import PROJECTIONS

PREFIX = "verify_"
NAMED = 20
"""So many differing rows are named in each table."""
SILENT_POLLS = 20
"""So many empty polls in a row, and the log is shorter than the index says."""

Told = Callable[[str, int, int], None]
"""(what is going on, how far, of how many)"""


@dataclass(frozen=True, slots=True)
class PartitionCheck:
    """One partition of the log, read again."""

    partition: str
    next_offset: int
    digest: str
    ok: bool


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One table of a read model, folded again."""

    projection: str
    table: str
    digest: str
    """Of all columns."""
    content: str
    """Without log times, positions and random ids: the same wherever the same events are recorded."""
    ok: bool


@dataclass
class Report:
    """What was found; `findings` are sentences, none if all is right."""

    partitions: list[PartitionCheck] = field(default_factory=list)
    tables: list[TableCheck] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Live:
    """What there is, in one snapshot."""

    index: Mapping[str, tuple[int, bytes]]
    """(next offset, digest) by partition of decisions and facts."""
    read: Mapping[str, Mapping[str, int]]
    """Next offsets by projection and partition."""
    digests: Mapping[str, Mapping[str, Digests]]
    parked: Mapping[str, set[Any]]


def verify(crm: Crm, told: Told = lambda _what, _done, _total: None) -> Report:
    """Read everything again and compare. Raises LogUnreachable."""
    report = Report()
    live = _look(crm)
    with _scratch(crm) as (index, read):
        for topic in (Topic.DECISIONS, Topic.FACTS):
            _index_again(crm, topic, index, live, told, report)
        _compare_partitions(crm, index, live, report)
        _compare_rows(crm, index, live, report)
        _compare_keys(crm, index, report, told)
        for projection in PROJECTIONS:
            told(f"folding {projection.name}", 0, 1)
            _fold_again(crm, projection, index, read, live, report)
    return report


def _look(crm: Crm) -> _Live:
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
            parked = {projection.name: _parked(cursor, "read", projection) for projection in PROJECTIONS}
        return _Live(index, read, digests, parked)
    finally:
        connection.close()


def _parked(cursor: Cursor, schema: str, projection: Projection) -> set[Any]:
    cursor.execute(f'SELECT key, partition, log_offset, place FROM "{schema}".parked WHERE projection = %s', (projection.name,))
    return set(cursor.fetchall())


@contextmanager
def _scratch(crm: Crm) -> Iterator[tuple[str, str]]:
    """Two schemas of our own, dropped in the end. A lease on their name says that somebody is at it."""
    name = f"{PREFIX}{uuid4().hex[:12]}"
    index, read = f"{name}_index", f"{name}_read"
    holder = connect(crm.dsn)
    try:
        with holder.cursor() as cursor:
            take_lease(cursor, name)
            _drop_left_over(cursor)
        with crm.pool.transaction() as cursor:
            create_index(cursor, crm.log, index)
            create_read_models(cursor, crm.log, PROJECTIONS, read)
        yield index, read
    finally:
        with holder.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA IF EXISTS "{index}" CASCADE')
            cursor.execute(f'DROP SCHEMA IF EXISTS "{read}" CASCADE')
        holder.close()


def _drop_left_over(cursor: Cursor) -> None:
    cursor.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", (PREFIX,))
    for (schema,) in cursor.fetchall():
        if take_lease(cursor, schema.rpartition("_")[0]):
            cursor.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


def _index_again(crm: Crm, topic: Topic, schema: str, live: _Live, told: Told, report: Report) -> None:
    """The partitions of one topic, from 0 up to where the live index stands."""
    until = {p: live.index[f"{topic.letter}{p}"][0] for p in range(crm.log.partitions(topic))}
    ends = crm.log.ends(topic)
    for p, end in until.items():
        if ends[p] < end:
            report.findings.append(f"The log ends at {topic.letter}{p}:{ends[p]}, but the index has read up to {end}: records are missing.")
            until[p] = ends[p]
    total, done, silent = sum(until.values()), 0, 0
    with Indexer(crm.dsn, crm.log, topic, schema=schema, lease=False, until=until) as indexer:
        while done < total and silent < SILENT_POLLS:
            read = indexer.step(1.0)
            done, silent = done + read, 0 if read else silent + 1
            told(f"reading {topic.value}", done, total)
            if _has_stopped(crm, schema):
                break


def _has_stopped(crm: Crm, schema: str) -> bool:
    with crm.pool.transaction() as cursor:
        cursor.execute(f'SELECT EXISTS (SELECT FROM "{schema}".checkpoint WHERE stopped IS NOT NULL)')
        row = cursor.fetchone()
    return bool(row and row[0])


def _compare_partitions(crm: Crm, schema: str, live: _Live, report: Report) -> None:
    with crm.pool.transaction() as cursor:
        cursor.execute(
            f"""SELECT topic || partition, next_offset, digest FROM "{schema}".checkpoint WHERE topic IN ('d', 'f') ORDER BY 1"""
        )
        rows = cursor.fetchall()
    for name, offset, digest in rows:
        ok = (offset, bytes(digest)) == live.index[name]
        report.partitions.append(PartitionCheck(name, offset, bytes(digest).hex(), ok))
        if not ok:
            report.findings.append(
                f"Partition {name} of the log is not what the index has read: up to {offset} its digest is {bytes(digest).hex()[:16]}…,"
                f" the index noted {live.index[name][1].hex()[:16]}… at {live.index[name][0]}."
            )


def _compare_rows(crm: Crm, schema: str, live: _Live, report: Report) -> None:
    """Rows of the index never change, so they can be compared after the snapshot."""
    with crm.pool.transaction() as cursor:
        cursor.execute("CREATE TEMP TABLE verify_until (name text PRIMARY KEY, next_offset bigint) ON COMMIT DROP")
        cursor.executemany("INSERT INTO verify_until VALUES (%s, %s)", [(name, offset) for name, (offset, _) in live.index.items()])
        for table, key in (("event", ("key", "stream", "version")), ("refused", ("topic", "partition", "log_offset"))):
            cursor.execute(
                f"""SELECT l.topic IS NULL, s.topic IS NULL, coalesce(l.topic, s.topic), coalesce(l.partition, s.partition),
                           coalesce(l.log_offset, s.log_offset)
                    FROM (SELECT e.* FROM index.{table} e JOIN verify_until u ON u.name = e.topic::text || e.partition::text
                          WHERE e.log_offset < u.next_offset) l
                    FULL JOIN "{schema}".{table} s ON {" AND ".join(f"s.{name} = l.{name}" for name in key)}
                    WHERE l IS DISTINCT FROM s LIMIT {NAMED}"""
            )
            for missing, added, letter, partition, offset in cursor.fetchall():
                what = "is missing in" if missing else "is not in the log but in" if added else "is not the same in"
                report.findings.append(f"What stands at {letter}{partition}:{offset} {what} index.{table}.")


def _compare_keys(crm: Crm, schema: str, report: Report, told: Told) -> None:
    """`crm.keys` is compacted, so its bytes change; what it says must not. Keys made meanwhile are only in the log."""
    until = crm.log.ends(Topic.KEYS)
    silent = 0
    with Indexer(crm.dsn, crm.log, Topic.KEYS, schema=schema, lease=False, until=until) as indexer:
        while silent < 2:
            told("reading keys", 0, 1)
            silent = 0 if indexer.step(0.3) else silent + 1
    with crm.pool.transaction() as cursor:
        cursor.execute(
            f"""SELECT l.id, s.id IS NULL FROM index.encryption_key l LEFT JOIN "{schema}".encryption_key s ON s.id = l.id
                WHERE s.id IS NULL OR s.owner <> l.owner OR (s.wrapped IS NOT NULL AND s.wrapped IS DISTINCT FROM l.wrapped)
                LIMIT {NAMED}"""
        )
        for key_id, missing in cursor.fetchall():
            report.findings.append(f"The encryption key {key_id} {'is not in' if missing else 'is not the same in'} the log.")


def _fold_again(crm: Crm, projection: Projection, index: str, read: str, live: _Live, report: Report) -> None:
    with Projector(crm.pool, crm.log, crm.keyring, projection, schema=read, index=index, lease=False) as projector:
        while projector.step(live.read.get(projection.name, {})):
            pass
    with crm.pool.transaction() as cursor:
        again = table_digests(cursor, read, projection)
        parked = _parked(cursor, read, projection)
    for table, digests in again.items():
        ok = digests == live.digests[projection.name][table]
        report.tables.append(TableCheck(projection.name, table, digests.full, digests.content, ok))
        if not ok:
            report.findings.append(f"The table read.{table} is not what the log says; `crm rebuild {projection.name}` makes it anew.")
    if parked != live.parked[projection.name]:
        report.findings.append(f"Other keys of {projection.name} are parked than reading the log again parks; try `crm parked retry`.")
