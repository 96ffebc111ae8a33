"""Parked keys: set aside by one projection until somebody looks, with all that comes later for them. Everything else goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from consumers.projecting.events import Entry
from infra.postgres.connection import Cursor

Aside = Mapping[tuple[str, UUID], tuple[int, int]]
"""By (partition, key): from which (offset, place) on it is set aside."""


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


def parked_keys(cursor: Cursor, schema: str, projection: str, keys: Collection[UUID]) -> dict[tuple[str, UUID], tuple[int, int]]:
    """Which of these are parked, and from where on."""
    cursor.execute(
        f'SELECT partition, key, log_offset, place FROM "{schema}".parked WHERE projection = %s AND key = ANY(%s)', (projection, list(keys))
    )
    return {(partition, key): (log_offset, place) for partition, key, log_offset, place in cursor.fetchall()}


def park(cursor: Cursor, schema: str, projection: str, entry: Entry, reason: str) -> None:
    """Set a key aside from this event on."""
    cursor.execute(
        f'INSERT INTO "{schema}".parked (projection, key, partition, log_offset, place, type, reason) VALUES (%s, %s, %s, %s, %s, %s, %s)',
        (projection, entry.key, partition_of(entry), *position_of(entry), entry.type, reason),
    )


def unpark(cursor: Cursor, schema: str, projection: str, key: UUID) -> None:
    """The key is nobody's concern any more."""
    cursor.execute(f'DELETE FROM "{schema}".parked WHERE projection = %s AND key = %s', (projection, key))


def all_parked(cursor: Cursor, schema: str = "read") -> list[Parked]:
    """Every parked key, by projection."""
    cursor.execute(f'SELECT projection, key, partition, log_offset, place, type, reason FROM "{schema}".parked ORDER BY 1, 3, 4, 5')
    return [Parked(*row) for row in cursor.fetchall()]


def partition_of(entry: Entry) -> str:
    """As it stands in a position: `d3`."""
    return f"{entry.topic}{entry.partition}"


def position_of(entry: Entry) -> tuple[int, int]:
    """(offset, place) in its partition."""
    return (entry.log_offset, entry.place)
