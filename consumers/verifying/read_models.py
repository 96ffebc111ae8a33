"""The read models folded again from the scratch index by the same projector, and compared with those that there are."""

from __future__ import annotations

from itertools import islice

from consumers.projecting.digests import Digests, table_digests
from consumers.projecting.projector import Projector
from consumers.verifying.differences import differing_rows
from consumers.verifying.live import Live, parked_of
from consumers.verifying.report import NAMED, Report, TableCheck
from infra.crm import Crm
from infra.postgres.connection import connect
from projections.batch import Projection
from projections.tables import Table


def fold_again(crm: Crm, projection: Projection, index: str, read: str, live: Live, report: Report) -> None:
    """As far as the live read model has folded, with the same keys set aside from the same events on."""
    aside = live.parked[projection.name]
    with crm.pool.transaction() as cursor:
        cursor.executemany(f'INSERT INTO "{read}".parked VALUES (%s, %s, %s, %s, %s, %s, %s)', sorted(aside, key=str))
    with Projector(crm.pool, crm.log, crm.keyring, projection, schema=read, index=index, lease=False) as projector:
        while projector.step(live.read.get(projection.name, {})):
            pass
        with crm.pool.transaction() as cursor:
            again = table_digests(cursor, read, projection)
            parked = parked_of(cursor, read, projection)
        for table in projection.tables:
            _compare_table(crm, projection, table, again[table.name], read, live, report)
        for _, key, partition, offset, *_ in sorted(parked - aside, key=str):
            report.findings.append(f"What stands at {partition}:{offset} (key {key}) can no longer be folded into {projection.name}.")
        for _, key, partition, offset, *_ in sorted(aside, key=str):
            if projector.retry(key):
                report.findings.append(
                    f"{projection.name} has set the key {key} aside from {partition}:{offset} on and could fold it: run `crm parked retry`."
                )


def _compare_table(crm: Crm, projection: Projection, table: Table, again: Digests, read: str, live: Live, report: Report) -> None:
    ok = again == live.digests[projection.name][table.name]
    report.tables.append(TableCheck(projection.name, table.name, again.full, again.content, ok))
    if ok:
        return
    report.findings.append(f"The table read.{table.name} is not what the log says; `crm rebuild {projection.name}` makes it anew.")
    connection = connect(crm.dsn, autocommit=False)
    try:
        differing = differing_rows(table, (live.connection, "read"), (connection, read))
        report.findings += [f"In read.{table.name}, {row}." for row in islice(differing, NAMED)]
    finally:
        connection.close()
