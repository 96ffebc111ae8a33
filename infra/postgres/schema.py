"""Creates our schemas. Safe to run by several processes at once."""

from __future__ import annotations

from importlib.resources import files

from psycopg2 import sql

from infra.log.contract import Log, Topic
from infra.postgres.connection import Cursor

CREATE_LOCK = 0x616E6E616C73  # "annals": one creator at a time


def create_index(cursor: Cursor, log: Log, schema: str = "index") -> None:
    """Create the index's tables and a checkpoint for each partition of the log, where they are missing."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (CREATE_LOCK,))
    text = files("infra.postgres").joinpath("index.sql").read_text("utf-8")
    cursor.execute(text.replace("{schema}", sql.Identifier(schema).as_string(cursor)))
    for topic in Topic:
        cursor.execute(
            f'INSERT INTO "{schema}".checkpoint (topic, partition) SELECT %s, generate_series(0, %s) ON CONFLICT DO NOTHING',
            (topic.letter, log.partitions(topic) - 1),
        )
