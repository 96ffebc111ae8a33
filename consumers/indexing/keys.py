"""Writes one batch of `crm.keys` into the table of encryption keys. Erased wins for ever, in whatever order records arrive."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2.extras import execute_values

from infra.keys.records import ERASURE_LOCK, ErasedRecord, KeyRecord, parse
from infra.log.contract import Record
from infra.postgres.connection import Cursor


def index_keys(cursor: Cursor, schema: str, records: Sequence[Record]) -> None:
    """Within the caller's transaction. Tells those who hold secrets in memory of every owner who was erased.

    A key and its owner's erasure stand in different partitions, and must see each other whoever reads them: hence the lock.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (ERASURE_LOCK,))
    parsed = [parse(record) for record in records]
    keys = [entry for entry in parsed if isinstance(entry, KeyRecord)]
    erased = [entry for entry in parsed if isinstance(entry, ErasedRecord)]
    if keys:
        _insert_keys(cursor, schema, keys)
    if erased:
        _erase(cursor, schema, erased)


def _insert_keys(cursor: Cursor, schema: str, keys: list[KeyRecord]) -> None:
    execute_values(
        cursor,
        f"""INSERT INTO "{schema}".encryption_key (id, owner, wrapped)
            SELECT v.id, v.owner, CASE WHEN e.owner IS NULL THEN v.wrapped END
            FROM (VALUES %s) v(id, owner, wrapped) LEFT JOIN "{schema}".erased_owner e ON e.owner = v.owner
            ON CONFLICT (id) DO NOTHING""",
        [(key.id, key.owner, key.wrapped) for key in keys],
        template="(%s::uuid, %s::uuid, %s::bytea)",
    )


def _erase(cursor: Cursor, schema: str, erased: list[ErasedRecord]) -> None:
    owners = list({entry.owner for entry in erased})
    execute_values(cursor, f'INSERT INTO "{schema}".erased_owner (owner) VALUES %s ON CONFLICT DO NOTHING', [(owner,) for owner in owners])
    markers = {entry.id: entry.owner for entry in erased if entry.id != entry.owner}
    if markers:
        execute_values(
            cursor,
            f'INSERT INTO "{schema}".encryption_key (id, owner) VALUES %s ON CONFLICT (id) DO UPDATE SET wrapped = NULL',
            list(markers.items()),
        )
    cursor.execute(f'UPDATE "{schema}".encryption_key SET wrapped = NULL WHERE owner = ANY(%s) AND wrapped IS NOT NULL', (owners,))
    cursor.execute(f'DELETE FROM "{schema}".snapshot WHERE key = ANY(%s) OR stream = ANY(%s)', (owners, owners))  # they are in the clear
    cursor.executemany("SELECT pg_notify('erased', %s)", [(str(owner),) for owner in owners])
