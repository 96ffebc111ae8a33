"""How far each partition has been read: its checkpoint, the chain of digests, the running maximum of append times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from infra.codec.times import from_milliseconds, write_time
from infra.log.contract import Record, Topic
from infra.log.digest import chain
from infra.postgres.connection import Cursor


class Superseded(Exception):
    """Somebody else moved the checkpoint: this indexer gives way, and nothing is lost."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where one partition's reading stands. `digest` covers every record before `next_offset`."""

    next_offset: int
    digest: bytes
    log_time: datetime

    def past(self, record: Record) -> Checkpoint:
        """The checkpoint after this record."""
        log_time = max(self.log_time, from_milliseconds(record.timestamp))
        return replace(self, next_offset=record.offset + 1, digest=chain(self.digest, record), log_time=log_time)


def read_checkpoints(cursor: Cursor, schema: str, topic: Topic) -> dict[int, Checkpoint]:
    """Every partition's checkpoint: of those that waited for newer software, too, since this may be it."""
    cursor.execute(f'SELECT partition, next_offset, digest, log_time FROM "{schema}".checkpoint WHERE topic = %s', (topic.letter,))
    return {partition: Checkpoint(offset, bytes(digest), log_time) for partition, offset, digest, log_time in cursor.fetchall()}


Move = tuple[int, Checkpoint, Checkpoint]
"""(partition, from, to)"""


def move_checkpoints(cursor: Cursor, schema: str, topic: Topic, moves: Sequence[Move], *, notify: bool = True) -> None:
    """Move the checkpoints and tell those who wait, within the caller's transaction. Raises Superseded."""
    values = ", ".join(["(%s, %s, %s, %s, %s::timestamptz)"] * len(moves))
    parameters: list[object] = []
    for partition, before, after in moves:
        parameters += [partition, before.next_offset, after.next_offset, after.digest, write_time(after.log_time)]
    payload = orjson.dumps({topic.letter: {str(partition): after.next_offset for partition, _, after in moves}}).decode()
    cursor.execute(
        f"""WITH moved AS (
            UPDATE "{schema}".checkpoint c
            SET next_offset = v.next, digest = v.digest, log_time = v.log_time, read_at = greatest(c.read_at, v.log_time), stopped = NULL
            FROM (VALUES {values}) v(partition, expected, next, digest, log_time)
            WHERE c.topic = %s AND c.partition = v.partition AND c.next_offset = v.expected RETURNING 1
        ), told AS (SELECT pg_notify('index', %s) WHERE %s)
        SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM told)""",
        [*parameters, topic.letter, payload, notify],
    )
    (moved, _) = cursor.fetchone() or (0, 0)
    if moved != len(moves):
        raise Superseded(f"{topic.value}: the checkpoint was moved by somebody else")


def stop_partition(cursor: Cursor, schema: str, topic: Topic, partition: int, why: str) -> None:
    """The partition waits, and says why, until software that can read on moves the checkpoint."""
    cursor.execute(f'UPDATE "{schema}".checkpoint SET stopped = %s WHERE topic = %s AND partition = %s', (why, topic.letter, partition))


def touch(cursor: Cursor, schema: str, topic: Topic, partitions: Sequence[int]) -> None:
    """Say that these partitions have been read to their end just now."""
    cursor.execute(
        f'UPDATE "{schema}".checkpoint SET read_at = clock_timestamp() WHERE topic = %s AND partition = ANY(%s)',
        (topic.letter, list(partitions)),
    )
