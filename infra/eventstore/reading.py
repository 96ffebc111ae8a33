"""One statement that only reads, in one round trip: BEGIN and COMMIT around it would be two more, for every command three times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from infra.postgres.connection import Cursor, Pool


@contextmanager
def reading(pool: Pool) -> Iterator[Cursor]:
    """A cursor whose statements stand alone, each seeing what is committed by then."""
    with pool.transaction() as cursor:
        connection = cursor.connection
        connection.autocommit = True
        try:
            yield cursor
        finally:
            if not connection.closed:
                connection.autocommit = False
