"""The schema of the read models: created where missing, made anew where the code has moved on."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from infra.log.contract import Log, Topic
from infra.postgres.connection import Cursor
from infra.postgres.schema import CREATE_LOCK
from projections.batch import Projection

FOLDED = (Topic.DECISIONS, Topic.FACTS)


def create_read_models(cursor: Cursor, log: Log, projections: Iterable[Projection], schema: str = "read") -> None:
    """Create what is missing; drop and begin anew a projection whose tables or fold have changed since, or that lost a table."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (CREATE_LOCK,))
    cursor.execute(f"""
        CREATE SCHEMA IF NOT EXISTS "{schema}";
        CREATE TABLE IF NOT EXISTS "{schema}".projection (name text PRIMARY KEY, shape text NOT NULL);
        CREATE TABLE IF NOT EXISTS "{schema}".checkpoint (
            projection text NOT NULL, partition text NOT NULL, next_offset bigint NOT NULL DEFAULT 0,
            log_time timestamptz NOT NULL DEFAULT 'epoch',  -- of the last event before next_offset: everything until then is folded
            PRIMARY KEY (projection, partition));
        CREATE TABLE IF NOT EXISTS "{schema}".parked (
            projection text NOT NULL, key uuid NOT NULL, partition text NOT NULL, log_offset bigint NOT NULL, place integer NOT NULL,
            type text, reason text NOT NULL, PRIMARY KEY (projection, key, partition));
        CREATE TABLE IF NOT EXISTS "{schema}".redacted (projection text NOT NULL, owner uuid NOT NULL, PRIMARY KEY (projection, owner))""")
    for projection in projections:
        cursor.execute(f'SELECT shape FROM "{schema}".projection WHERE name = %s', (projection.name,))
        row = cursor.fetchone()
        if row is not None and (row[0] != shape(projection) or not tables_stand(cursor, projection, schema)):
            _drop(cursor, projection, schema)
            row = None
        if row is None:  # CREATE INDEX keeps writers out even where the index is there: a process that starts must not stop the others
            _create(cursor, projection, schema)
        _checkpoints(cursor, log, projection, schema)


def tables_stand(cursor: Cursor, projection: Projection, schema: str = "read") -> bool:
    """Whether all its tables are there, and what says how far they are."""
    names = ["checkpoint", "parked", "redacted", "projection", *(table.name for table in projection.tables)]
    cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s AND tablename = ANY(%s)", (schema, names))
    return cursor.fetchone() == (len(names),)


def shape(projection: Projection) -> str:
    """What tells whether the tables are those of today's code."""
    text = f"{projection.version} " + "; ".join(table.create_sql("read") for table in projection.tables)
    return sha256(text.encode()).hexdigest()


def reset(cursor: Cursor, projection: Projection, schema: str = "read") -> None:
    """Empty the tables and go back to event zero. Whoever folds meanwhile gives way: the checkpoints are locked first. Readers see
    the old rows until the caller commits, and never wait (TRUNCATE would make them)."""
    cursor.execute(f'SELECT FROM "{schema}".checkpoint WHERE projection = %s ORDER BY partition FOR UPDATE', (projection.name,))
    for table in projection.tables:
        cursor.execute(f'DELETE FROM "{schema}".{table.name}')
    cursor.execute(f'DELETE FROM "{schema}".parked WHERE projection = %s', (projection.name,))
    cursor.execute(
        f"""UPDATE "{schema}".checkpoint SET next_offset = 0, log_time = 'epoch' WHERE projection = %s""",
        (projection.name,),
    )


def _drop(cursor: Cursor, projection: Projection, schema: str) -> None:
    for table in projection.tables:
        cursor.execute(f'DROP TABLE IF EXISTS "{schema}".{table.name}')
    for name in ("checkpoint", "parked", "redacted"):
        cursor.execute(f'DELETE FROM "{schema}".{name} WHERE projection = %s', (projection.name,))
    cursor.execute(f'DELETE FROM "{schema}".projection WHERE name = %s', (projection.name,))


def _create(cursor: Cursor, projection: Projection, schema: str) -> None:
    for table in projection.tables:
        cursor.execute(table.create_sql(schema))
    cursor.execute(
        f'INSERT INTO "{schema}".projection (name, shape) VALUES (%s, %s) ON CONFLICT DO NOTHING', (projection.name, shape(projection))
    )


def _checkpoints(cursor: Cursor, log: Log, projection: Projection, schema: str) -> None:
    for topic in FOLDED:
        cursor.execute(
            f'INSERT INTO "{schema}".checkpoint (projection, partition) SELECT %s, %s || generate_series(0, %s) ON CONFLICT DO NOTHING',
            (projection.name, topic.letter, log.partitions(topic) - 1),
        )
