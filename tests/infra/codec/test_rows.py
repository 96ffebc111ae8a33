"""The rows of the index are there whatever a commit holds: what cannot be read is null, and nothing raises."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from infra.codec.envelope import read_envelope
from infra.codec.rows import EVENT_COLUMNS, REFUSED_COLUMNS, copy_line, event_rows, refused_row
from infra.log.contract import Record, Topic
from tests.infra.codec.hostile import CASES, RECORD_KEY, Verdict, commit, envelope, event, stream

LOG_TIME = datetime(2026, 11, 22, 10, 0, 1, tzinfo=UTC)
RECORD = Record(Topic.FACTS, 3, 77, 0, RECORD_KEY, b"")
AT = "2026-11-22T10:00:00.000000Z"


def rows_of(value: bytes) -> list[dict[str, Any]]:
    rows = event_rows(read_envelope(value, RECORD_KEY), RECORD, LOG_TIME)
    return [dict(zip(EVENT_COLUMNS, row, strict=True)) for row in rows]


def test_a_row_says_everything_that_the_commit_says() -> None:
    value = envelope(
        "all", attempt="2", request='"abc"', actor='"user:7"', correlation_id='"c"', causation_id='"d"',
        events=f"[{event('one')},{event('all', said_at=f'{chr(34)}{AT}{chr(34)}', data='[1,2.50]')}]",
    )  # fmt: skip
    first, second = rows_of(value)
    assert first["place"] == 0
    assert first["said_at"] is None
    assert second == {
        "key": RECORD_KEY.decode(), "stream": str(stream("all")), "version": 1, "topic": "f", "partition": 3, "log_offset": 77, "place": 1,
        "type": "customer.language_set", "schema": 1, "occurred_at": AT, "said_at": AT, "recorded_at": AT,
        "log_time": "2026-11-22T10:00:01.000000Z", "commit_id": str(commit("all")), "attempt": 2, "request": "abc", "actor": "user:7",
        "correlation_id": "c", "causation_id": "d", "data": "[1,2.5]",
    }  # fmt: skip


UNREADABLE = [
    ("type", ["7", "null", '["x"]', "{}", "true", r'"a\u0000b"', f'"{"x" * 2001}"']),
    ("schema", ['"1"', "1.0", "true", "null", str(2**31), str(2**70), "[]"]),
    ("occurred_at", ["7", '""', '"yesterday"', '"2026-11-22"', '"2026-11-22T10:00:00"', '"2026-02-30T10:00:00Z"', "null", "{}",
                     '"0000-01-01T00:00:00Z"', '"0001-01-01T00:00:00+01:00"', '"9999-12-31T23:59:59-00:01"', '"infinity"']),
    ("said_at", ["7", '"soon"']),
]  # fmt: skip


@pytest.mark.parametrize(("field", "written"), [(field, written) for field, many in UNREADABLE for written in many])
def test_what_cannot_be_read_of_an_event_is_null(field: str, written: str) -> None:
    (row,) = rows_of(envelope("x", events=f"[{event('x', **{field: written})}]"))
    assert row[field] is None


@pytest.mark.parametrize("field", ["recorded_at", "attempt", "request", "actor", "correlation_id", "causation_id"])
@pytest.mark.parametrize("written", ["{}", "true", "1.5", r'"\u0000"'])
def test_what_cannot_be_read_of_a_commit_is_null(field: str, written: str) -> None:
    (row,) = rows_of(envelope("x", **{field: written}))
    assert row[field] is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-22T12:00:00+02:00", AT),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
        ("2026-11-22T10:00:00.1Z", "2026-11-22T10:00:00.1Z"),
        ("20261122T100000Z", AT),
        ("2026-W47-7T10:00:00Z", AT),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0987-01-01T01:00:00+01:00", "0987-01-01T00:00:00.000000Z"),
    ],
)
def test_a_time_is_written_so_that_postgresql_reads_the_same(written: str, read: str) -> None:
    (row,) = rows_of(envelope("x", events=f"[{event('x', occurred_at=f'{chr(34)}{written}{chr(34)}')}]"))
    assert row["occurred_at"] == read


@pytest.mark.parametrize(("depth", "held"), [(200, True), (254, True), (255, False), (1020, False)])
def test_data_too_deep_to_write_is_null(depth: int, held: bool) -> None:
    data = "[" * depth + "]" * depth
    (row,) = rows_of(envelope("x", events=f"[{event('x', data=data)}]"))
    assert row["data"] == (data if held else "null")


@pytest.mark.parametrize("case", [case for case in CASES if case.verdict is Verdict.ACCEPTED], ids=lambda case: case.name)
def test_every_accepted_commit_becomes_rows_of_one_line(case: Any) -> None:
    for row in event_rows(read_envelope(case.value, case.key), RECORD, LOG_TIME):
        line = copy_line(row)
        assert line.count("\n") == 1
        assert line.count("\t") == len(EVENT_COLUMNS) - 1
        assert "\r" not in line
        assert "\0" not in line


def test_copy_gets_back_what_was_written() -> None:
    assert copy_line(("a\\b", None, "\t\n\r", "\\N", "\\.", 7)) == "a\\\\b\t\\N\t\\t\\n\\r\t\\\\N\t\\\\.\t7\n"


def test_a_refused_commit_keeps_its_id_and_attempt() -> None:
    read = read_envelope(envelope("x", attempt="3"), RECORD_KEY)
    row = dict(zip(REFUSED_COLUMNS, refused_row(read, "why", RECORD, LOG_TIME), strict=True))
    assert (row["commit_id"], row["attempt"], row["reason"]) == (str(commit("x")), 3, "why")
    assert (row["topic"], row["partition"], row["log_offset"]) == ("f", 3, 77)


def test_bytes_that_are_no_envelope_have_neither() -> None:
    row = dict(zip(REFUSED_COLUMNS, refused_row(None, "why", RECORD, LOG_TIME), strict=True))
    assert (row["commit_id"], row["attempt"]) == (None, None)


def test_the_data_is_held_as_json_whatever_is_in_it() -> None:
    (row,) = rows_of(envelope("x", events=f"[{event('x', data=r'{}')}]".replace("{}", r'{"a\u0000":"\u0000","b":"\\\"\n"}')))
    assert "\0" not in row["data"]
    assert orjson.loads(row["data"]) == {"a\0": "\0", "b": '\\"\n'}
