"""Creates our schemas. Safe to run by several processes at once."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files

from psycopg2 import sql

from infra.log.contract import Log, Topic
from infra.postgres.connection import Cursor

TABLES = ("event", "refused", "checkpoint", "encryption_key", "erased_owner", "snapshot")
CREATE_LOCK = 0x616E6E616C73  # "annals": one creator at a time


def create_index(cursor: Cursor, log: Log, schema: str = "index") -> None:
    """Create the index's tables and a checkpoint for each partition of the log, where they are missing. An index of another shape
    (of older software, or not whole) is dropped, since all of it is in the log."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (CREATE_LOCK,))
    text = files("infra.postgres").joinpath("index.sql").read_text("utf-8")
    fingerprint = sha256(text.encode()).hexdigest()
    # CREATE INDEX keeps writers out even where the index is there: a process that starts must not stop the others.
    if not _stands(cursor, schema, fingerprint):
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
        cursor.execute(text.replace("{schema}", sql.Identifier(schema).as_string(cursor)))
        cursor.execute(sql.SQL("COMMENT ON SCHEMA {} IS %s").format(sql.Identifier(schema)), (fingerprint,))
    for topic in Topic:
        cursor.execute(
            f'INSERT INTO "{schema}".checkpoint (topic, partition) SELECT %s, generate_series(0, %s) ON CONFLICT DO NOTHING',
            (topic.letter, log.partitions(topic) - 1),
        )


def _stands(cursor: Cursor, schema: str, fingerprint: str) -> bool:
    """Whether all our tables are there, as this very text made them."""
    cursor.execute("SELECT obj_description(to_regnamespace(quote_ident(%s)), 'pg_namespace') = %s", (schema, fingerprint))
    if cursor.fetchone() != (True,):
        return False
    cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s AND tablename = ANY(%s)", (schema, list(TABLES)))
    return cursor.fetchone() == (len(TABLES),)
