"""The embedded log's tables: the schema `log` (decisions, facts) and the schema `keys`. Both are truth, and are backed up.

Each schema has a table `partition`: one row a partition with its next offset and its last time. Its rows are made once; how
many there are is the topic's partition count, for ever.
"""

from __future__ import annotations

from infra.log.contract import LogMisconfigured, Position, Topic
from infra.postgres.connection import Cursor

CREATE_LOCK = 0x616E6C6F67  # "anlog": one creator at a time
SCHEMAS = {Topic.DECISIONS: "log", Topic.FACTS: "log", Topic.KEYS: "keys"}


def table_of(topic: Topic) -> str:
    """The table that holds the topic's records."""
    return f"{SCHEMAS[topic]}.{topic.value}"


def counters_of(topic: Topic) -> str:
    """The table that holds the topic's next offsets."""
    return f"{SCHEMAS[topic]}.partition"


def channel_of(topic: Topic) -> str:
    """What a reader LISTENs to."""
    return f"log_{topic.value}"


def create(cursor: Cursor, topic: Topic, partitions: int) -> None:
    """Create the topic's tables where they are missing. Within a transaction; whoever comes second waits for the first."""
    counters = counters_of(topic)
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (CREATE_LOCK,))
    cursor.execute(f"""
        CREATE SCHEMA IF NOT EXISTS {SCHEMAS[topic]};
        CREATE TABLE IF NOT EXISTS {counters} (
            topic text NOT NULL, partition int NOT NULL, next bigint NOT NULL DEFAULT 0, time bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (topic, partition)
        ) WITH (fillfactor = 10);  -- room for the next version of each row on its own page
        CREATE TABLE IF NOT EXISTS {table_of(topic)} (
            partition int NOT NULL, "offset" bigint NOT NULL, timestamp bigint NOT NULL, key bytea, value bytea, headers bytea NOT NULL,
            PRIMARY KEY (partition, "offset")
        )""")
    if topic is Topic.KEYS:
        cursor.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS keys_key ON {table_of(topic)} (key)")
    cursor.execute(f"SELECT count(*) FROM {counters} WHERE topic = %s", (topic.value,))
    if cursor.fetchall() == [(0,)]:
        cursor.execute(f"INSERT INTO {counters} (topic, partition) SELECT %s, generate_series(0, %s - 1)", (topic.value, partitions))


def require_partitions(cursor: Cursor, topic: Topic, partitions: int) -> None:
    """Raise LogMisconfigured unless the topic was born with this many partitions."""
    cursor.execute(f"SELECT count(*) FROM {counters_of(topic)} WHERE topic = %s", (topic.value,))
    ((found,),) = cursor.fetchall()
    if found != partitions:
        raise LogMisconfigured(
            f"The log's {topic.value} were created with {found} partitions, and the settings say {partitions}; "
            f"the number is fixed at birth, so set it back to {found}."
        )


def require_whole(cursor: Cursor, topic: Topic) -> None:
    """Raise LogMisconfigured if a partition does not reach from offset 0 to its counter: a restore that was not whole."""
    cursor.execute(
        f"""SELECT p.partition, p.next, min(r."offset"), max(r."offset") FROM {counters_of(topic)} p
            LEFT JOIN LATERAL ((SELECT "offset" FROM {table_of(topic)} WHERE partition = p.partition ORDER BY "offset" LIMIT 1)
                UNION ALL (SELECT "offset" FROM {table_of(topic)} WHERE partition = p.partition ORDER BY "offset" DESC LIMIT 1)) r ON true
            WHERE p.topic = %s GROUP BY p.partition, p.next ORDER BY p.partition""",
        (topic.value,),
    )
    for partition, following, first, last in cursor.fetchall():
        compacted = topic is Topic.KEYS
        if last is not None and (last >= following if compacted else last != following - 1):
            raise LogMisconfigured(
                f"The log's counter says that {Position(topic, partition, following)} comes next, but its last record is "
                f"{Position(topic, partition, last)}; restore the schemas log and keys whole, from one backup."
            )
        if not compacted and first != (0 if following else None):
            begins = "has no records" if first is None else f"begins at {Position(topic, partition, first)}"
            raise LogMisconfigured(
                f"The log has {following} records in {topic.letter}{partition}, but {begins}; "
                "restore the schemas log and keys whole, from one backup."
            )
