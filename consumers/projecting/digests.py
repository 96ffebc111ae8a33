"""Digests of a read model's tables: the same bytes for the same rows, on any machine.

`full` covers every column; `content` only those that are the same wherever the same events are recorded (Column.stable).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from infra.postgres.connection import Cursor
from projections.batch import Projection
from projections.tables import Table

PLAIN_OUTPUT = (
    "SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'; SET LOCAL intervalstyle = 'iso_8601';"
    " SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL client_encoding = 'UTF8'"
)


@dataclass(frozen=True, slots=True)
class Digests:
    """SHA-256, in hexadecimal digits."""

    full: str
    content: str


class _Hasher:
    """Takes what COPY writes, a row at a time (psycopg2 hands over PostgreSQL's messages as they come, one a row)."""

    def __init__(self, table: Table) -> None:
        self.full, self.content = sha256(), sha256()
        self.stable = [number for number, column in enumerate(table.columns) if column.stable]
        self.all_stable = len(self.stable) == len(table.columns)

    def write(self, row: bytes) -> None:
        self.full.update(row)
        if not self.all_stable:
            fields = row.rstrip(b"\n").split(b"\t")  # tabs within a value are escaped
            self.content.update(b"\t".join([fields[number] for number in self.stable]) + b"\n")

    def digests(self) -> Digests:
        return Digests(self.full.hexdigest(), (self.full if self.all_stable else self.content).hexdigest())


def table_digests(cursor: Cursor, schema: str, projection: Projection) -> dict[str, Digests]:
    """The digests of each table, by its name. Within a transaction; a table of any size takes no memory."""
    cursor.execute(PLAIN_OUTPUT)
    digests = {}
    for table in projection.tables:
        hasher = _Hasher(table)
        cursor.copy_expert(f"COPY ({rows_in_order(schema, table)}) TO STDOUT", hasher)
        digests[table.name] = hasher.digests()
    return digests


def rows_in_order(schema: str, table: Table) -> str:
    """The query for all rows by primary key, in an order that no locale changes."""
    return f'SELECT {", ".join(table.names)} FROM "{schema}".{table.name} ORDER BY {", ".join(order_by(table))}'


def order_by(table: Table) -> list[str]:
    """The columns of the primary key, as they stand after ORDER BY."""
    return [f'{name} COLLATE "C"' if table.type_of(name) == "text" else name for name in table.key]
