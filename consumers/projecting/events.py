"""Reads events from the index for a projection: by position, decoded, personal fields opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
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


Range = tuple[str, int, int]
"""(partition such as `f3`, first offset, offset to stop before)"""

# Of what the planner believes of a table that grows by the minute it must not depend whether a batch reads the whole of it: here no
# scan of the table and no walk through a primary key is worth its cost, and the indexes on positions are.
BY_POSITION = "SET LOCAL enable_seqscan = off; SET LOCAL cpu_index_tuple_cost = 1000000;"
AS_USUAL = "SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL cpu_index_tuple_cost TO DEFAULT"


def select_ranges(cursor: Cursor, schema: str, ranges: Iterable[Range]) -> list[Any]:
    """The rows of these partitions, in order within each. One query a topic: it is a literal, to show which partial index fits."""
    by_topic: dict[str, list[tuple[int, int, int]]] = {}
    for name, first, end in ranges:
        by_topic.setdefault(name[0], []).append((int(name[1:]), first, end))
    rows: list[Any] = []
    for letter, wanted in by_topic.items():
        values = ", ".join(["(%s, %s::bigint, %s::bigint)"] * len(wanted))
        cursor.execute(
            f"""{BY_POSITION} SELECT {COLUMNS} FROM (VALUES {values}) v(following, first, until) CROSS JOIN LATERAL (
                    SELECT * FROM "{schema}".event WHERE topic = '{letter}' AND partition = v.following AND log_offset >= v.first
                    AND log_offset < v.until ORDER BY log_offset, place) e""",
            [value for one in wanted for value in one],
        )
        rows += cursor.fetchall()
    if by_topic:
        cursor.execute(AS_USUAL)
    return rows


def last_times(rows: Iterable[Any]) -> dict[str, datetime]:
    """The log time of the last row of each partition."""
    return {f"{row[3]}{row[4]}": row[12] for row in rows}


def select_key(cursor: Cursor, schema: str, key: UUID, partition: str, start: tuple[int, int], end: int) -> list[Any]:
    """The rows of one key in one partition from (offset, place) on up to before an offset, in order."""
    cursor.execute(
        f"""SELECT {COLUMNS} FROM "{schema}".event WHERE key = %s AND topic = %s AND partition = %s
            AND (log_offset, place) >= (%s, %s) AND log_offset < %s ORDER BY log_offset, place""",
        (key, partition[0], int(partition[1:]), *start, end),
    )
    return cursor.fetchall()


def summarize(cursor: Cursor, schema: str) -> None:
    """Let the block range index know of what was added: PostgreSQL itself does so a minute later, and an import is over by then.
    Raises LockNotAvailable where somebody else is at it."""
    cursor.execute("SET LOCAL lock_timeout = '20ms'; SELECT brin_summarize_new_values(%s::regclass)", (f'"{schema}".event_fact_position',))


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
