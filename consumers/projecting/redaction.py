"""When somebody is erased, what was folded from their personal fields is deleted, and folded anew from what can still be read."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from consumers.projecting.events import read_entries, select_key
from consumers.projecting.folding import Folding
from infra.keys.keyring import Keyring
from infra.postgres.connection import Cursor
from projections.batch import Projection


def owners_to_redact(cursor: Cursor, projection: Projection, schema: str, index: str) -> list[UUID]:
    """Those who were erased since this projection looked for the last time."""
    if not projection.redacts:
        return []
    cursor.execute(
        f"""SELECT owner FROM "{index}".erased_owner e WHERE NOT EXISTS (
                SELECT FROM "{schema}".redacted r WHERE r.projection = %s AND r.owner = e.owner) ORDER BY owner""",
        (projection.name,),
    )
    return [row[0] for row in cursor.fetchall()]


def redact(cursor: Cursor, projection: Projection, keyring: Keyring, owner: UUID, at: Mapping[str, int], schema: str, index: str) -> None:
    """Within the caller's transaction, which holds the checkpoints `at` (next offset by partition) of the owner's partitions.

    The secrets are forgotten first: what is folded here, and by this process from now on, is read with the keys of today.
    """
    cursor.execute(
        f'INSERT INTO "{schema}".redacted (projection, owner) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING 1', (projection.name, owner)
    )
    if cursor.fetchone() is None:
        return
    keyring.forget()
    for table, column in projection.redacts:
        cursor.execute(f'DELETE FROM "{schema}".{table.name} WHERE {column} = %s', (owner,))
    rows = [row for name, end in sorted(at.items()) for row in select_key(cursor, index, owner, name, (0, 0), end)]
    Folding(cursor, projection, schema).fold(read_entries(rows, projection, keyring))
