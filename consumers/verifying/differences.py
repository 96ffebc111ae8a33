"""Where two copies of one table differ: which row, and whether it is missing, added or changed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from consumers.projecting.digests import PLAIN_OUTPUT
from infra.postgres.connection import Connection
from projections.tables import Table

ROWS_AT_ONCE = 2_000
NAMEABLE = {"uuid", "integer"}
"""Types of columns whose values may be told. Others may hold a number or an address."""

END = (["\U0010ffff"], "")
"""After the last row: no key is greater."""

_numbers = count(1)

Side = tuple[Connection, str]
"""(a connection within a transaction, the schema in which the table stands)"""


def differing_rows(table: Table, there: Side, right: Side) -> Iterator[str]:
    """One phrase a row that is not `there` as it is `right`, in the order of their keys. Tables of any size take no memory."""
    ours, theirs = _rows(table, there), _rows(table, right)
    one, other = next(ours, END), next(theirs, END)
    while (one, other) != (END, END):
        if one[0] < other[0]:
            yield f"{_name(table, one[0])} should not be there"
        elif other[0] < one[0]:
            yield f"{_name(table, other[0])} is missing"
        elif one[1] != other[1]:
            yield f"{_name(table, one[0])} is not what the log says"
        first = min(one[0], other[0])
        one, other = (next(ours, END) if one[0] == first else one), (next(theirs, END) if other[0] == first else other)


def _rows(table: Table, side: Side) -> Iterator[tuple[list[str], str]]:
    """(primary key as texts, the whole row as text), in the order of the keys' bytes."""
    connection, schema = side
    keys = [f'{name}::text COLLATE "C"' for name in table.key]
    with connection.cursor() as cursor:
        cursor.execute(PLAIN_OUTPUT)
    with connection.cursor(name=f"differences_{next(_numbers)}") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(
            f'SELECT ARRAY[{", ".join(keys)}], ROW({", ".join(table.names)})::text FROM "{schema}".{table.name} ORDER BY {", ".join(keys)}'
        )
        row: Any
        for row in cursor:
            yield row[0], row[1]


def _name(table: Table, key: list[str]) -> str:
    named = [f"{name} {value}" for name, value in zip(table.key, key, strict=True) if table.type_of(name) in NAMEABLE]
    return f"the row of {', '.join(named)}"
