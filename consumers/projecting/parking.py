"""Parked keys: set aside by one projection until somebody looks, with all that comes later for them. Everything else goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from consumers.projecting.events import Entry, Unreadable
from infra.postgres.connection import Cursor


@dataclass(frozen=True, slots=True)
class Parked:
    """One key that one projection has set aside, from this position on."""

    projection: str
    key: UUID
    partition: str
    log_offset: int
    place: int
    type: str | None
    reason: str


def parked_keys(cursor: Cursor, schema: str, projection: str, keys: Sequence[UUID]) -> set[UUID]:
    """Which of these are parked."""
    cursor.execute(f'SELECT key FROM "{schema}".parked WHERE projection = %s AND key = ANY(%s)', (projection, list(keys)))
    return {row[0] for row in cursor.fetchall()}


def park(cursor: Cursor, schema: str, projection: str, entry: Entry, reason: str) -> None:
    """Set a key aside from this event on."""
    cursor.execute(
        f'INSERT INTO "{schema}".parked VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING',
        (projection, entry.key, f"{entry.topic}{entry.partition}", entry.log_offset, entry.place, entry.type, reason),
    )


def unpark(cursor: Cursor, schema: str, projection: str, key: UUID) -> None:
    """The key is nobody's concern any more."""
    cursor.execute(f'DELETE FROM "{schema}".parked WHERE projection = %s AND key = %s', (projection, key))


def all_parked(cursor: Cursor, schema: str = "read") -> list[Parked]:
    """Every parked key, by projection."""
    cursor.execute(f'SELECT projection, key, partition, log_offset, place, type, reason FROM "{schema}".parked ORDER BY 1, 3, 4, 5')
    return [Parked(*row) for row in cursor.fetchall()]


def unreadable_keys(entries: Sequence[Entry]) -> dict[UUID, Unreadable]:
    """The first event of each key that cannot be read."""
    first: dict[UUID, Unreadable] = {}
    for entry in entries:
        if isinstance(entry, Unreadable):
            first.setdefault(entry.key, entry)
    return first
