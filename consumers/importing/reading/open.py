"""From a path to its rows: which type of file it is, and what a rejected file of ours is when it comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from consumers.importing.errors import MappingWrong, UsedWrongly
from consumers.importing.mapping.model import FileForm, FileType, Mapping
from consumers.importing.reading.csv_rows import CsvRows
from consumers.importing.reading.ndjson_rows import NdjsonRows
from consumers.importing.reading.rows import Rows
from consumers.importing.reading.text import TextFile

REJECTED_SUFFIX = ".rejected.csv"
_TYPES: dict[str, FileType] = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_DELIMITERS = {"csv": ",", "tsv": "\t"}


@contextmanager
def open_rows(path: Path, mapping: Mapping) -> Iterator[tuple[TextFile, Rows]]:
    """The file and its rows. Raises RefusedError, also when the header has not what the mapping uses."""
    if path.is_dir():  # before its name is asked what it is: a folder's says nothing
        raise UsedWrongly(f"{path} is a folder; name the files in it.")
    form = _form(path, mapping)
    with TextFile(path, form.encoding) as file:
        if form.type == "ndjson":
            yield file, NdjsonRows(file, form, mapping, mapping.decimal)
        else:
            yield file, CsvRows(file, form, form.delimiter or _DELIMITERS[form.type or "csv"], mapping)


def _form(path: Path, mapping: Mapping) -> FileForm:
    """The mapping's form with its type decided. A rejected file is what we wrote, whatever the original was."""
    form = mapping.form
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(REJECTED_SUFFIX) and form.type != "ndjson":
        return FileForm(type="csv", encoding="utf-8-sig", delimiter=",")
    if form.type is not None:
        return form
    found = _TYPES.get(Path(name).suffix)
    if found is None:
        raise MappingWrong(
            "",
            f'{mapping.file_name}, [file], type: the name {path.name} does not say what the file is; add type = "csv", "tsv" or "ndjson".',
        )
    return replace(form, type=found)
