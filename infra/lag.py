"""How far behind readers are, in records and in seconds: the index behind the log, each read model behind the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.log.contract import Log, Topic
from infra.postgres.connection import Cursor

Ends = Mapping[str, int]
"""Next offset by partition (`d3`)."""


@dataclass(frozen=True, slots=True)
class Lag:
    """One reader's. `seconds`: since the oldest record that it has not read was appended; 0 if there is none."""

    reader: str
    records: int
    seconds: float
    parked: int = 0


def log_ends(log: Log) -> dict[str, int]:
    """The ends of decisions and facts, asked of the log."""
    return {f"{topic.letter}{p}": end for topic in (Topic.DECISIONS, Topic.FACTS) for p, end in log.ends(topic).items()}


def index_lag(cursor: Cursor, ends: Ends) -> Lag:
    """Seconds since everything was read for the last time, where something is unread."""
    cursor.execute(
        "SELECT topic || partition, next_offset, extract(epoch FROM clock_timestamp() - read_at) FROM index.checkpoint"
        " WHERE topic IN ('d', 'f')"
    )
    at = {name: (offset, float(seconds)) for name, offset, seconds in cursor.fetchall()}
    behind = [name for name, end in ends.items() if end > at.get(name, (0, 0.0))[0]]
    seconds = max((at.get(name, (0, 0.0))[1] for name in behind), default=0.0)
    return Lag("index", sum(ends[name] - at.get(name, (0, 0.0))[0] for name in behind), max(0.0, seconds))


def read_model_lag(cursor: Cursor, projection: str, ends: Ends) -> Lag:
    """A parked key is not behind: it is set aside, and counted."""
    cursor.execute("SELECT partition, next_offset FROM read.checkpoint WHERE projection = %s", (projection,))
    behind = {name: offset for name, offset in cursor.fetchall() if offset < ends.get(name, 0)}
    seconds = 0.0
    for name, offset in behind.items():
        cursor.execute(
            f"SELECT extract(epoch FROM clock_timestamp() - min(log_time)) FROM index.event"
            f" WHERE topic = '{name[0]}' AND partition = %s AND log_offset >= %s AND log_offset < %s",
            (int(name[1:]), offset, offset + 100),
        )
        seconds = max(seconds, float((cursor.fetchone() or (None,))[0] or 0))
    cursor.execute("SELECT count(*) FROM read.parked WHERE projection = %s", (projection,))
    (parked,) = cursor.fetchone() or (0,)
    return Lag(projection, sum(ends[name] - offset for name, offset in behind.items()), seconds, parked)


def all_lags(cursor: Cursor, log: Log, projections: Iterable[str]) -> list[Lag]:
    """The index's first, then each read model's. Raises LogUnreachable."""
    ends = log_ends(log)
    return [index_lag(cursor, ends), *(read_model_lag(cursor, name, ends) for name in projections)]


def refused_count(cursor: Cursor) -> int:
    """How many commits the acceptance rule has refused."""
    cursor.execute("SELECT count(*) FROM index.refused")
    (count,) = cursor.fetchone() or (0,)
    return int(count)


def stopped_partitions(cursor: Cursor) -> list[str]:
    """Why partitions wait for newer software, a sentence each."""
    cursor.execute("SELECT stopped FROM index.checkpoint WHERE stopped IS NOT NULL ORDER BY topic, partition")
    return [row[0] for row in cursor.fetchall()]
