"""The tables of read models: declared once, loaded once a batch, written once a batch."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

import orjson
from psycopg2.extras import execute_values

Row = dict[str, Any]
Key = tuple[Any, ...]

PAGE_ROWS = 1_000
"""So many rows in one statement."""


class Cursor(Protocol):
    """What is needed of a psycopg2 cursor."""

    def execute(self, query: str, vars: Any = None) -> None: ...  # noqa: A002

    def fetchall(self) -> list[tuple[Any, ...]]: ...

    def copy_expert(self, sql: str, file: Any) -> None: ...


@dataclass(frozen=True)
class Column:
    """`stable`: the same wherever the same events are recorded; not so for log times, positions and random ids."""

    name: str
    type: str
    stable: bool = True


@dataclass(frozen=True)
class Table:
    """One table of a read model."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    """Each as it stands after ON table: `(customer, occurred_at)`, `USING …`, with WHERE where it helps."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def create_sql(self, schema: str) -> str:
        """Create the table and its indexes where they are missing."""
        columns = ", ".join(f"{column.name} {column.type}" for column in self.columns)
        statements = [f'CREATE TABLE IF NOT EXISTS "{schema}".{self.name} ({columns}, PRIMARY KEY ({", ".join(self.key)}))']
        statements += [
            f'CREATE INDEX IF NOT EXISTS {self.name}_{number} ON "{schema}".{self.name} {index}'
            for number, index in enumerate(self.indexes, start=1)
        ]
        return "; ".join(statements)

    def type_of(self, name: str) -> str:
        """The bare SQL type of a column."""
        return next(column.type.split()[0] for column in self.columns if column.name == name)


def document(value: Any) -> str:
    """JSON with sorted keys: the same bytes for the same content."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


class Rows:
    """One table within the projector's transaction."""

    def __init__(self, cursor: Cursor, schema: str, table: Table) -> None:
        self.cursor, self.table = cursor, table
        self.name = f'"{schema}".{table.name}'
        self._loaded: dict[Key, Row] = {}

    def load(self, keys: Collection[Key]) -> dict[Key, Row]:
        """The rows with these primary keys, by key."""
        return self._load(self.table.key, keys)

    def load_by(self, columns: tuple[str, ...], values: Collection[Key]) -> dict[Key, Row]:
        """The rows where these columns have one of these values, by primary key."""
        return self._load(columns, values)

    def _load(self, columns: tuple[str, ...], values: Collection[Key]) -> dict[Key, Row]:
        if not values:
            return {}
        arrays = _arrays(values)
        unnested = ", ".join(f"%s::{self.table.type_of(name)}[]" for name in columns)
        self.cursor.execute(
            f"SELECT {', '.join('t.' + name for name in self.table.names)} FROM unnest({unnested}) v({', '.join(columns)})"
            f" JOIN {self.name} t ON {' AND '.join(f't.{name} = v.{name}' for name in columns)}",
            arrays,
        )
        found = {}
        for values_of_row in self.cursor.fetchall():
            row = dict(zip(self.table.names, values_of_row, strict=True))
            found[self._key(row)] = row
        self._loaded.update({key: dict(row) for key, row in found.items()})
        return found

    def store(self, rows: Iterable[Row], *, gone: Iterable[Key] = ()) -> None:
        """Write rows (new, or loaded before and changed) and delete those gone. Rows that did not change are not touched.

        Only for rows that a single partition writes; a row that several write takes `add`.
        """
        new, changed = [], []
        for row in rows:
            before = self._loaded.get(self._key(row))
            if before is None:
                new.append(row)
            elif before != row:
                changed.append(row)
        self.delete([key for key in gone if key in self._loaded])
        self._insert(new)
        self._update(changed)

    def add(self, amounts: Mapping[Key, Mapping[str, Any]], *, empty: str) -> None:
        """Add to numeric columns, whoever else adds at the same time; a row where `empty` comes to 0 leaves."""
        if not amounts:
            return
        added = sorted({name for amount in amounts.values() for name in amount})
        names, keys = (*self.table.key, *added), sorted(amounts)
        execute_values(
            self.cursor,
            f"INSERT INTO {self.name} AS t ({', '.join(names)}) VALUES %s ON CONFLICT ({', '.join(self.table.key)}) DO UPDATE SET "
            + ", ".join(f"{name} = {self._trimmed(name, f't.{name} + excluded.{name}')}" for name in added),
            [(*key, *(amounts[key].get(name, 0) for name in added)) for key in keys],
            template=f"({', '.join([*['%s'] * len(self.table.key), *(self._trimmed(name, '%s') for name in added)])})",
            page_size=PAGE_ROWS,
        )
        self._where_key_in(f"DELETE FROM {self.name} t USING", keys, f" AND t.{empty} = 0")

    def _trimmed(self, name: str, value: str) -> str:
        # A scale that an amount brought would stay when the amount has left: 20.020 - 0.001 + 0.001 must be 20.02 again.
        return f"trim_scale({value})" if self.table.type_of(name) == "numeric" else value

    def delete(self, keys: Collection[Key]) -> None:
        """Delete rows by primary key."""
        if keys:
            self._where_key_in(f"DELETE FROM {self.name} t USING", list(keys), "")

    def _where_key_in(self, statement: str, keys: list[Key], more: str) -> None:
        arrays = _arrays(keys)
        unnested = ", ".join(f"%s::{self.table.type_of(name)}[]" for name in self.table.key)
        condition = " AND ".join(f"t.{name} = v.{name}" for name in self.table.key)
        self.cursor.execute(f"{statement} unnest({unnested}) v({', '.join(self.table.key)}) WHERE {condition}{more}", arrays)

    def _insert(self, rows: list[Row]) -> None:
        names = self.table.names
        if rows:
            columns = [_copied_column([row[name] for row in rows]) for name in names]
            text = "\n".join(map("\t".join, zip(*columns, strict=True)))
            self.cursor.copy_expert(f"COPY {self.name} ({', '.join(names)}) FROM STDIN", io.StringIO(text + "\n"))

    def _update(self, rows: list[Row]) -> None:
        if not rows:
            return
        names = self.table.names
        others = [name for name in names if name not in self.table.key]
        execute_values(
            self.cursor,
            f"INSERT INTO {self.name} ({', '.join(names)}) VALUES %s ON CONFLICT ({', '.join(self.table.key)}) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in others),
            [tuple(row[name] for name in names) for row in rows],
            page_size=PAGE_ROWS,
        )

    def _key(self, row: Row) -> Key:
        return tuple(row[name] for name in self.table.key)


def _arrays(keys: Collection[Key]) -> list[list[Any]]:
    """Keys as one array a column. Ids go as text, which psycopg2 quotes much quicker than UUIDs."""
    return [[str(value) if type(value) is UUID else value for value in column] for column in zip(*keys, strict=True)]


def _copied_column(values: list[Any]) -> list[str]:
    """Values in the text format of COPY. Half of a row is what the row before it has: the same instant, the same word, nothing."""
    texts = []
    last: Any = None
    text = "\\N"
    for value in values:
        if value is not last and not (type(value) is type(last) is datetime and value == last):
            last, text = value, _copied(value)
        texts.append(text)
    return texts


def _copied(value: Any) -> str:
    """A value in the text format of COPY."""
    if value is None:
        return "\\N"
    if type(value) is str:
        return value if _special(value) is None else value.translate(_ESCAPES)
    if type(value) is UUID:
        return f"{value.int:032x}"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


_special = re.compile(r"[\\\t\n\r]").search
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Tables:
    """The tables of one projection within one transaction."""

    def __init__(self, cursor: Cursor, schema: str, tables: Iterable[Table]) -> None:
        self._rows = {table.name: Rows(cursor, schema, table) for table in tables}

    def __getitem__(self, table: Table) -> Rows:
        return self._rows[table.name]
