"""From a commit to the rows of the index. Tolerant of everything that the acceptance rule does not look at: what cannot be
read becomes null, and the projection that minds parks the key."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from infra.codec.envelope import Envelope
from infra.codec.times import read_time, write_time
from infra.log.contract import Record

EVENT_COLUMNS = (
    "key", "stream", "version", "topic", "partition", "log_offset", "place", "type", "schema", "occurred_at", "said_at",
    "recorded_at", "log_time", "commit_id", "attempt", "request", "actor", "correlation_id", "causation_id", "data",
)  # fmt: skip
REFUSED_COLUMNS = ("topic", "partition", "log_offset", "commit_id", "attempt", "reason", "log_time")

Row = tuple[Any, ...]

_plain_time = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z").fullmatch
"""As we write it ourselves; other writings that Python reads, PostgreSQL may not."""


def event_rows(commit: Envelope, record: Record, log_time: datetime) -> list[Row]:
    """One row an event, in the order of EVENT_COLUMNS."""
    rest = commit.rest
    head = (record.topic.letter, record.partition, record.offset)
    tail = (
        _time(rest.get("recorded_at")),
        _written(log_time),
        commit.id,
        _integer(rest.get("attempt")),
        _text(rest.get("request")),
        _text(rest.get("actor")),
        _text(rest.get("correlation_id")),
        _text(rest.get("causation_id")),
    )
    return [
        (
            commit.key,
            event["stream"],
            event["version"],
            *head,
            place,
            _text(event.get("type")),
            _integer(event.get("schema")),
            _time(event.get("occurred_at")),
            _time(event.get("said_at")),
            *tail,
            _data(event.get("data")),
        )
        for place, event in enumerate(commit.events)
    ]


_written = lru_cache(maxsize=64)(write_time)
"""Log times have milliseconds, and a batch of a thousand records few of them."""


def refused_row(commit: Envelope | None, reason: str, record: Record, log_time: datetime) -> Row:
    """One row for a refused commit (None: bytes that are no envelope), in the order of REFUSED_COLUMNS."""
    attempt = None if commit is None else _integer(commit.rest.get("attempt"))
    commit_id = None if commit is None else commit.id
    return (record.topic.letter, record.partition, record.offset, commit_id, attempt, reason, write_time(log_time))


def _data(data: object) -> str:
    """JSON text. orjson reads nesting that it cannot write (255 to 1024 deep); nobody of ours writes such, and it becomes null."""
    try:
        return orjson.dumps(data).decode()
    except orjson.JSONEncodeError:
        return "null"


def _text(value: object) -> str | None:
    """Text that PostgreSQL can hold: it has no NUL."""
    return value if type(value) is str and "\0" not in value and len(value) <= 2000 else None


def _integer(value: object) -> int | None:
    return value if type(value) is int and -(2**31) <= value < 2**31 else None


def _time(value: object) -> str | None:
    if type(value) is not str:
        return None
    return _short_time(value) if len(value) <= 32 else _any_time(value)


def _any_time(text: str) -> str | None:
    at = read_time(text)
    if at is None:
        return None
    return text if _plain_time(text) else write_time(at)


_short_time = lru_cache(maxsize=4096)(_any_time)
"""An import's facts are recorded at the same instant by the thousand, and often happened at the same midnight."""


def copy_line(row: Row) -> str:
    """A row in the text format of COPY."""
    line = "\t".join(["\\N" if value is None else str(value) for value in row]) + "\n"
    if line.count("\\") == row.count(None) and line.count("\t") == len(row) - 1 and line.count("\n") == 1 and "\r" not in line:
        return line  # nothing in it needs escaping
    return "\t".join(["\\N" if value is None else _escape(str(value)) for value in row]) + "\n"


def _escape(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\t" in text or "\n" in text or "\r" in text:
        text = text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text
