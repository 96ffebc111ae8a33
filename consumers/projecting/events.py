"""Reads events from the index for a projection: by position, decoded, personal fields opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from domain.event_types import BY_NAME
from infra.codec.events import read_data, sealing_keys
from infra.codec.personal import CannotUnseal, Place
from infra.codec.stored import UnreadableData
from infra.keys.keyring import Keyring
from infra.postgres.connection import Cursor
from projections.batch import Projection, Recorded

COLUMNS = (
    "key, stream, version, topic, partition, log_offset, place, type, schema, occurred_at, said_at, recorded_at, log_time, actor, data"
)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event that the projection minds and cannot read: its key is parked."""

    key: UUID
    topic: str
    partition: int
    log_offset: int
    place: int
    type: str | None
    reason: str


Entry = Recorded | Unreadable


def select_range(cursor: Cursor, schema: str, letter: str, partition: int, first: int, end: int) -> list[Any]:
    """The rows of one partition from `first` to before `end`, in order."""
    cursor.execute(
        f"""SELECT {COLUMNS} FROM "{schema}".event
            WHERE topic = %s AND partition = %s AND log_offset >= %s AND log_offset < %s ORDER BY log_offset, place""".replace(
            "topic = %s",
            f"topic = '{letter}'",  # a literal: the planner must see which partial index fits
        ),
        (partition, first, end),
    )
    return cursor.fetchall()


def select_key(cursor: Cursor, schema: str, key: UUID, log_offset: int, place: int) -> list[Any]:
    """The rows of one key from a position on, in order."""
    cursor.execute(
        f'SELECT {COLUMNS} FROM "{schema}".event WHERE key = %s AND (log_offset, place) >= (%s, %s) ORDER BY log_offset, place',
        (key, log_offset, place),
    )
    return cursor.fetchall()


def read_entries(rows: Sequence[Any], projection: Projection, keyring: Keyring) -> list[Entry]:
    """The events that are the projection's business, in order."""
    minded = [row for row in rows if projection.reads(row[3], row[7])]
    data = [orjson.loads(row[14]) for row in minded]
    needed = {
        key_id for row, values in zip(minded, data, strict=True) if row[7] in BY_NAME for key_id in sealing_keys(BY_NAME[row[7]], values)
    }
    secrets = keyring.find(needed) if needed else {}
    return [_entry(row, values, secrets) for row, values in zip(minded, data, strict=True)]


def _entry(row: Any, data: Any, secrets: dict[UUID, bytes | None]) -> Entry:
    key, stream, version, topic, partition, log_offset, place, name, schema, occurred_at, said_at, recorded_at, log_time, actor, _ = row

    def place_of(field: str) -> Place:
        return Place(key, stream, version, field)

    try:
        event, erased = read_data(name, schema, data, place_of, secrets)
    except (UnreadableData, CannotUnseal) as why:
        return Unreadable(key, topic, partition, log_offset, place, name, str(why))
    if occurred_at is None:
        return Unreadable(key, topic, partition, log_offset, place, name, "the time of the event cannot be read")
    return Recorded(
        key, stream, version, topic, partition, log_offset, place, name, event, erased, occurred_at, said_at, recorded_at, log_time, actor
    )


def readable(entries: Iterable[Entry]) -> list[Recorded]:
    """Those that could be read."""
    return [entry for entry in entries if isinstance(entry, Recorded)]
