"""Verification: the log is read again from offset 0 into scratch tables, by the same code, and compared with what is there.

A running server does no harm: what is compared is fixed in one snapshot at the beginning. Scratch schemas are dropped at the end,
and those of a run that was killed by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from consumers.projecting.schema import create_read_models
from consumers.verifying.index import compare_keys, compare_partitions, compare_rows, index_again
from consumers.verifying.live import Live, erased_count, look
from consumers.verifying.read_models import fold_again
from consumers.verifying.report import PartitionCheck, Report, TableCheck, Told
from infra.crm import Crm
from infra.log.contract import Topic
from infra.postgres.connection import Cursor, connect
from infra.postgres.leases import take_lease
from infra.postgres.schema import create_index
from projections.registry import PROJECTIONS

PREFIX = "verify_"

__all__ = ["PartitionCheck", "Report", "TableCheck", "Told", "verify"]


def verify(crm: Crm, told: Told = lambda _what, _done, _total: None) -> Report:
    """Read everything again and compare. Raises LogUnreachable."""
    report = Report()
    with look(crm, report) as live, _scratch(crm) as (index, read):
        for topic in (Topic.DECISIONS, Topic.FACTS):
            index_again(crm, topic, index, live, told, report)
        compare_partitions(crm, index, live, report)
        compare_rows(crm, index, live, report)
        compare_keys(crm, index, report, told)
        for number, projection in enumerate(PROJECTIONS):
            told(f"folding {projection.name}", number, len(PROJECTIONS))
            fold_again(crm, projection, index, read, live, report)
        _mind_erasures(crm, live, report)
    return report


def _mind_erasures(crm: Crm, live: Live, report: Report) -> None:
    with crm.pool.transaction() as cursor:
        if report.findings and erased_count(cursor) != live.erased:
            report.findings.append("Somebody was erased meanwhile, which changes the tables: verify again before you believe this.")


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
