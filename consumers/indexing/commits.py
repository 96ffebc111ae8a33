"""Writes one batch of commits into the index: judged by the acceptance rule, in the partition's order."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg2.errors
from psycopg2.extras import execute_values

from infra.acceptance import Accepted, Standing, judge
from infra.codec.envelope import Envelope
from infra.codec.rows import EVENT_COLUMNS, REFUSED_COLUMNS, Row, copy_line, event_rows, refused_row
from infra.log.contract import Record, Topic
from infra.postgres.connection import Cursor

COPY_FROM_ROWS = 50
"""Above this COPY is quicker than INSERT."""


@dataclass(frozen=True, slots=True)
class Read:
    """One record as read: its commit, or the reason why it is none."""

    record: Record
    log_time: datetime
    commit: Envelope | None
    reason: str = ""


@dataclass
class Verdicts:
    """The rows that a batch comes to."""

    events: list[Row] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)


def index_commits(cursor: Cursor, schema: str, topic: Topic, batch: Sequence[Read]) -> None:
    """Insert what is accepted and what is refused. First recordings go in blindly; only when the primary key complains, or
    where a commit could depend on what was there, are versions read."""
    if topic is Topic.FACTS and _are_first_recordings(batch):
        verdicts = _all_accepted(batch)
        cursor.execute("SAVEPOINT blind")
        try:
            _write(cursor, schema, verdicts)
        except psycopg2.errors.UniqueViolation:
            cursor.execute("ROLLBACK TO SAVEPOINT blind")
        else:
            return
    _write(cursor, schema, _judged(batch, _standing(cursor, schema, topic, batch), topic))


def _are_first_recordings(batch: Sequence[Read]) -> bool:
    seen: set[tuple[str, str]] = set()
    for read in batch:
        if read.commit is None:
            continue
        if read.commit.reads:
            return False
        for event in read.commit.events:
            stream_id = (read.commit.key, event["stream"])
            if event["version"] != 1 or stream_id in seen:
                return False
            seen.add(stream_id)
    return True


def _all_accepted(batch: Sequence[Read]) -> Verdicts:
    verdicts = Verdicts()
    for read in batch:
        if read.commit is None:
            verdicts.refused.append(refused_row(None, read.reason, read.record, read.log_time))
        else:
            verdicts.events += event_rows(read.commit, read.record, read.log_time)
    return verdicts


def _judged(batch: Sequence[Read], standing: Standing, topic: Topic) -> Verdicts:
    verdicts = Verdicts()
    for read in batch:
        if read.commit is None:
            verdicts.refused.append(refused_row(None, read.reason, read.record, read.log_time))
            continue
        verdict = judge(read.commit, standing, decisions=topic is Topic.DECISIONS)
        if isinstance(verdict, Accepted):
            standing.versions.update(verdict.versions)
            standing.commits.add((read.commit.key, read.commit.id))
            verdicts.events += event_rows(read.commit, read.record, read.log_time)
        else:
            verdicts.refused.append(refused_row(read.commit, verdict.reason, read.record, read.log_time))
    return verdicts


def _standing(cursor: Cursor, schema: str, topic: Topic, batch: Sequence[Read]) -> Standing:
    """What the rule must know of the past of this topic, for the streams and commits of this batch."""
    streams = {
        (read.commit.key, stream)
        for read in batch
        if read.commit is not None
        for stream in (*read.commit.reads, *(event["stream"] for event in read.commit.events))
    }
    commits = [read.commit.id for read in batch if read.commit is not None] if topic is Topic.DECISIONS else []
    cursor.execute(
        f"""SELECT t.key::text, t.stream::text, e.version
            FROM unnest(%s::uuid[], %s::uuid[]) t(key, stream)
            CROSS JOIN LATERAL (SELECT version FROM "{schema}".event e WHERE e.key = t.key AND e.stream = t.stream AND e.topic = %s
                                ORDER BY version DESC LIMIT 1) e
            UNION ALL
            SELECT key::text, commit_id::text, NULL FROM "{schema}".event WHERE topic = 'd' AND commit_id = ANY(%s::uuid[])""",
        ([key for key, _ in streams], [stream for _, stream in streams], topic.letter, commits),
    )
    standing = Standing()
    for key, other, version in cursor.fetchall():
        if version is None:
            standing.commits.add((key, other))
        else:
            standing.versions[key, other] = version
    return standing


def _write(cursor: Cursor, schema: str, verdicts: Verdicts) -> None:
    _insert(cursor, f'"{schema}".event', EVENT_COLUMNS, verdicts.events)
    _insert(cursor, f'"{schema}".refused', REFUSED_COLUMNS, verdicts.refused)


def _insert(cursor: Cursor, table: str, columns: Sequence[str], rows: list[Row]) -> None:
    names = ", ".join(columns)
    if len(rows) > COPY_FROM_ROWS:
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", io.StringIO("".join(map(copy_line, rows))))
    elif rows:
        execute_values(cursor, f"INSERT INTO {table} ({names}) VALUES %s", rows)
