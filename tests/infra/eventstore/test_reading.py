"""Reading without a transaction around it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS

from infra.eventstore.reading import reading
from infra.postgres.connection import Pool


@pytest.fixture
def pool(dsn: str) -> Iterator[Pool]:
    one = Pool(dsn, 1)
    yield one
    one.close()


def test_a_read_leaves_no_transaction_open_and_the_next_one_is_whole_again(pool: Pool) -> None:
    with reading(pool) as cursor:
        cursor.execute("SELECT 1")
        assert cursor.connection.info.transaction_status == TRANSACTION_STATUS_IDLE
    with pool.transaction() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.connection.info.transaction_status == TRANSACTION_STATUS_INTRANS


def test_a_read_that_fails_gives_the_connection_back_as_it_was(pool: Pool) -> None:
    with pytest.raises(psycopg2.errors.UndefinedTable), reading(pool) as cursor:
        cursor.execute("SELECT 1 FROM nowhere")
    with pytest.raises(psycopg2.errors.UndefinedTable), pool.transaction() as cursor:  # noqa: PT012 - both, or none
        cursor.execute("CREATE TABLE half (id int)")
        cursor.execute("SELECT 1 FROM nowhere")
    with reading(pool) as cursor:
        cursor.execute("SELECT to_regclass('half')")
        assert cursor.fetchone() == (None,)
