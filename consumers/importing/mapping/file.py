"""`[file]`: what kind of file it is, and how it writes numbers, times and nothing."""

from __future__ import annotations

import codecs

from consumers.importing.mapping.context import Context, read_zone
from consumers.importing.mapping.model import FileForm
from consumers.importing.mapping.table import Table

TYPES = ("csv", "tsv", "ndjson")


def load_file(table: Table) -> tuple[FileForm, Context]:
    """The form of the file, and what the compiling of values needs to know of it. Raises MappingWrong."""
    form = FileForm(
        type=table.choice("type", TYPES),  # type: ignore[arg-type]
        encoding=_encoding(table),
        delimiter=_sign(table, "delimiter"),
        quote=_quote(table),
        escape=_sign(table, "escape"),
        columns=_columns(table),
        skip_lines=_skip_lines(table),
        unfold=table.text("unfold"),
        optional=frozenset(name.strip() for name in table.texts("optional") or ()),
    )
    if form.type == "ndjson" or form.unfold:
        _refuse_for_ndjson(table, form)
    decimal, thousands = _marks(table)
    context = Context(
        missing=frozenset(marker.strip() for marker in table.texts("missing") or ()),
        decimal=decimal,
        thousands=thousands,
        zone=read_zone(table, "zone"),
        dates=table.texts("dates") or ("iso",),
    )
    table.close()
    return form, context


def _refuse_for_ndjson(table: Table, form: FileForm) -> None:
    if form.unfold and form.type != "ndjson":
        raise table.wrong('is for NDJSON alone; add type = "ndjson", or leave it out.', "unfold")
    for key in ("delimiter", "quote", "escape", "columns", "skip_lines"):
        if key in table:
            raise table.wrong("means nothing for NDJSON; leave it out.", key)


def _encoding(table: Table) -> str:
    name = table.text("encoding") or "utf-8"
    try:
        codec = codecs.lookup(name)
        "a\n".encode(codec.name)
    except (LookupError, UnicodeError, ValueError, TypeError):
        raise table.wrong(
            f"{name!r} is no encoding; usual ones are utf-8, cp1252, latin-1, iso8859-2, cp1250 and utf-16.", "encoding"
        ) from None
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


def _sign(table: Table, key: str) -> str | None:
    sign = table.text(key)
    if sign is not None and (len(sign) != 1 or sign in "\r\n\0"):
        raise table.wrong('must be one character, such as ";" ("\\t" for a tab).', key)
    return sign


def _quote(table: Table) -> str:
    """Empty for a file in which quotes mean nothing."""
    sign = table.text("quote")
    if sign is not None and len(sign) > 1:
        raise table.wrong('must be one character, or "" where quotes mean nothing.', "quote")
    return '"' if sign is None else sign


def _columns(table: Table) -> tuple[str, ...] | None:
    """The names for a file without a header."""
    names = table.texts("columns")
    if names is None:
        return None
    trimmed = tuple(name.strip() for name in names)
    if not trimmed or not all(trimmed) or len(set(trimmed)) != len(trimmed):
        raise table.wrong("must name every column of the file, in order, each name once.", "columns")
    return trimmed


def _skip_lines(table: Table) -> int:
    count = table.take("skip_lines")
    if count is None:
        return 0
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 1_000:
        raise table.wrong("must be a whole number from 0 to 1000: the lines above the header.", "skip_lines")
    return count


def _marks(table: Table) -> tuple[str, str]:
    decimal, thousands = table.text("decimal") or ".", table.text("thousands") or ""
    if decimal not in {".", ","}:
        raise table.wrong('must be "." or ",".', "decimal")
    if thousands not in {"", ".", ",", " ", "'", "\u2019", "_"}:
        raise table.wrong('must be one of "", ",", ".", " ", "\'" and "_".', "thousands")
    if decimal == thousands:
        raise table.wrong("must be another sign than decimal.", "thousands")
    return decimal, thousands
