"""Whatever is wrong with what an import is given is said in a sentence, with the right exit code, and records nothing."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.endtoend.installation import Done, Installation
from tests.endtoend.shop import MAPPING, Line, ShopFile

EXAMPLE: Line = {
    "order": "O1", "when": "2025-02-03 10:00", "customer": "C1", "name": "", "company": "", "phone": "", "email": "", "country": "RO",
    "sku": "S1", "description": "A thing", "quantity": "1", "price": "2.50",
}  # fmt: skip


@pytest.fixture
def nothing_recorded(filled_embedded: Installation) -> Iterator[Installation]:
    """The log stays as it is, whatever the test does."""
    query = "SELECT partition, topic, next_offset FROM index.checkpoint ORDER BY 1, 2"
    before = filled_embedded.ask(query)
    yield filled_embedded
    assert filled_embedded.ask(query) == before


def sentence(done: Done) -> str:
    """What was said: one line, a sentence. On a slow machine it may also be said that PostgreSQL is still starting."""
    lines = [line for line in done.err.splitlines() if not line.endswith("seconds so far.")]
    assert len(lines) == 1, done.err
    assert lines[0].endswith((".", "?", ")")), done.err
    return lines[0]


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "code", "says"),
    [
        ("no-file.csv", None, 2, "no-file.csv"),
        ("empty.csv", b"", 1, "empty"),
        ("torn.csv.gz", gzip.compress(b"order,when\n" * 5000)[:60], 1, "torn.csv.gz"),
        ("wide.csv", "order,when\n".encode("utf-16"), 1, "UTF-16"),
        ("columns.csv", b"order,when\nO1,2025-01-01 10:00\n", 1, "column"),
        ("unnamed.xyz", b"order\n", 1, "type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_read(
    nothing_recorded: Installation, shop_folder: Path, tmp_path: Path, name: str, content: bytes | None, code: int, says: str
) -> None:
    path = tmp_path / name if content is None else write(tmp_path / name, content)
    done = nothing_recorded.crm("import", path, "--mapping", shop_folder / "shop.toml", code=code)
    assert says in sentence(done)


def test_a_folder_is_no_file(nothing_recorded: Installation, shop_folder: Path, tmp_path: Path) -> None:
    done = nothing_recorded.crm("import", tmp_path, "--mapping", shop_folder / "shop.toml", code=2)
    assert "folder" in sentence(done)


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        (MAPPING.replace('column = "price"', 'column = "prise"'), "did you mean 'price'"),
        (MAPPING.replace('value = "RON" }\nlines', 'value = "RO" }\nlines'), "ISO 4217"),
        (MAPPING + "nonsense", "TOML"),
        (MAPPING.replace("purchase.made", "purchase.dreamt"), "purchase.dreamt"),
    ],
    ids=["column", "currency", "toml", "type"],
)
def test_a_mapping_that_cannot_be(nothing_recorded: Installation, shop_folder: Path, tmp_path: Path, mapping: str, says: str) -> None:
    path = write(tmp_path / "wrong.toml", mapping)
    done = nothing_recorded.crm("import", shop_folder / "shop.csv", "--mapping", path, code=1)
    assert says in sentence(done)


@pytest.mark.parametrize(
    "change",
    [
        {"price": "NaN"},
        {"quantity": "1" + "0" * 60},
        {"price": "Infinity"},
        {"when": "9999-12-31 23:59:99"},
        {"when": "yesterday"},
        {"order": "O\x001"},
        {"description": "a\x00b"},
        {"order": "X1"},
    ],
    ids="-".join,
)
def test_a_row_that_cannot_be_is_rejected_with_its_line(
    nothing_recorded: Installation, shop_folder: Path, tmp_path: Path, change: Line
) -> None:
    path = ShopFile([{**EXAMPLE, **change}]).write(tmp_path / "row.csv")
    answer = nothing_recorded.imports(path, "--mapping", shop_folder / "shop.toml")
    assert (answer["read"], answer["rejected"]) == (1, 1)
    rejected = (nothing_recorded.work / answer["rejected_file"]).read_text("utf-8-sig")
    (row,) = csv.DictReader(rejected.splitlines())
    assert "2" in row.values(), "the line's number"


def test_what_is_strange_and_possible_is_recorded(embedded: Installation, shop_folder: Path, tmp_path: Path) -> None:
    lines = [{**EXAMPLE, "order": "O1", "when": "9999-12-31 23:59"}, {**EXAMPLE, "order": "O2", "quantity": "1" + "0" * 30}]
    path = ShopFile(lines).write(tmp_path / "strange.csv")
    answer = embedded.imports(path, "--mapping", shop_folder / "shop.toml")
    assert answer["read"] == answer["recorded"] + answer["rejected"] == 2
    assert any("ahead of now" in notice for notice in answer["notices"])
    embedded.project()
    ((latest, parked),) = embedded.ask(
        "SELECT (SELECT max(occurred_at) <= now() FROM read.ledger_entry), (SELECT count(*) FROM read.parked)"
    )
    assert (latest, parked) == (True, 0)
