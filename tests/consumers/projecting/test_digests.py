"""Digests of tables: the same for the same rows on any machine, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest

from consumers.projecting.digests import Digests, table_digests
from infra.postgres.connection import Cursor, connect
from projections.batch import Projection
from projections.tables import Column, Table

TABLE = Table(
    "thing",
    (
        Column("name", "text"),
        Column("at", "timestamptz", stable=False),
        Column("amount", "numeric"),
        Column("day", "date"),
        Column("said", "text"),
    ),
    key=("name",),
)
THING = Projection("thing", 1, (TABLE,), ("thing.",), lambda batch, tables: None)
ROW = ("b\tä", "2024-03-31 00:30:00+00", "20.02", "2024-03-31", "line\nnext \\N")


@pytest.fixture
def cursor(dsn: str) -> Iterator[Cursor]:
    connection = connect(dsn, autocommit=False)
    with connection.cursor() as opened:
        opened.execute("CREATE SCHEMA read")
        opened.execute(TABLE.create_sql("read"))
        yield opened
    connection.close()


def digests(cursor: Cursor, *rows: tuple[str | None, ...]) -> Digests:
    cursor.execute("DELETE FROM read.thing")
    for row in rows:
        cursor.execute("INSERT INTO read.thing VALUES (%s, %s, %s, %s, %s)", row)
    return table_digests(cursor, "read", THING)["thing"]


def test_the_digest_is_the_sha_256_of_the_rows_as_copy_writes_them(cursor: Cursor) -> None:
    rows = b"b\\t\xc3\xa4\t2024-03-31 00:30:00+00\t20.02\t2024-03-31\tline\\nnext \\\\N\n"
    stable = b"b\\t\xc3\xa4\t20.02\t2024-03-31\tline\\nnext \\\\N\n"
    assert digests(cursor, ROW) == Digests(sha256(rows).hexdigest(), sha256(stable).hexdigest())


def test_rows_stand_in_the_order_of_their_bytes_however_they_were_inserted(cursor: Cursor) -> None:
    others = [(name, *ROW[1:4], "said") for name in ("B", "ä", "a", "Z", "é")]
    ordered = "".join("\t".join(row) + "\n" for row in sorted(others, key=lambda row: row[0].encode()))
    assert digests(cursor, *others).full == digests(cursor, *reversed(others)).full == sha256(ordered.encode()).hexdigest()


def test_settings_of_the_session_change_nothing(cursor: Cursor) -> None:
    before = digests(cursor, ROW)
    cursor.execute("SET timezone = 'Europe/Bucharest'; SET datestyle = 'German'; SET extra_float_digits = 0")
    assert table_digests(cursor, "read", THING)["thing"] == before


def test_content_leaves_out_what_differs_from_one_installation_to_another(cursor: Cursor) -> None:
    before = digests(cursor, ROW)
    later = digests(cursor, (ROW[0], "2025-01-01 00:00:00+00", *ROW[2:]))
    assert later.content == before.content
    assert later.full != before.full


@pytest.mark.parametrize(("place", "value"), [(0, "b"), (2, "20.020"), (3, "2024-04-01"), (4, None), (4, "")])
def test_any_other_change_is_seen_in_both(cursor: Cursor, place: int, value: str | None) -> None:
    before = digests(cursor, ROW)
    changed = digests(cursor, (*ROW[:place], value, *ROW[place + 1 :]))
    assert changed.full != before.full
    assert changed.content != before.content
