"""docs/import.md is true: every mapping in it is run on the rows beside it, every example in its tables is tried."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from consumers.importing.mapping.catalogue import FIELDS, LINE_FIELDS, WITH_CUSTOMER
from consumers.importing.reading.text import LONGEST_LINE
from consumers.importing.staging import MOST_ROWS
from tests.consumers.importing.outcome import MemorySink, call, imported, one_value

MANUAL = (Path(__file__).parents[3] / "docs" / "import.md").read_text("utf-8")


@dataclass
class Example:
    """A mapping of the manual with its rows, and the facts and customers that it says come out."""

    title: str
    mapping: str = ""
    name: str = ""
    rows: str = ""
    facts: list[Any] = field(default_factory=list)
    customers: list[Any] = field(default_factory=list)


def _examples() -> list[Example]:
    """One for each heading that has a mapping."""
    found = []
    for section in re.split(r"^##+ ", MANUAL, flags=re.MULTILINE):
        example = Example(section.partition("\n")[0])
        for kind, name, body in re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL):
            match kind:
                case "toml":
                    assert not example.mapping, f"two mappings under one heading: {example.title}"
                    example.mapping = body
                case "json":
                    example.facts = [json.loads(line) for line in body.splitlines()]
                case "customers":
                    example.customers = [json.loads(line) for line in body.splitlines()]
                case _:
                    example.name, example.rows = name, body
        if example.mapping:
            found.append(example)
    return found


@pytest.mark.parametrize("example", _examples(), ids=lambda example: example.title)
def test_every_mapping_makes_of_its_rows_what_the_manual_says(tmp_path: Path, example: Example) -> None:
    result = imported(tmp_path, example.mapping, example.rows, name=example.name, recordable=FIELDS)
    assert (result.code, result.error) == (0, "")
    assert [
        {
            "type": fact.type,
            "subject": fact.subject,
            "id": fact.id,
            "time": fact.time.isoformat().replace("+00:00", "Z"),
            "data": fact.data,
        }
        for fact in result.facts
    ] == example.facts
    if example.customers:
        assert [_shown(asdict(draft)) for draft in result.sink.customers.values()] == example.customers


def _shown(draft: dict[str, Any]) -> dict[str, Any]:
    """A customer as the manual writes one: what is there, numbers as (number, kind, label)."""
    there = {name: value for name, value in draft.items() if value and name not in {"source", "file", "line", "met_at"}}
    there["phones"] = [list(phone.values()) for phone in draft["phones"]]
    there["emails"] = [list(email.values()) for email in draft["emails"]]
    there["addresses"] = [
        {name: list(part) if name == "lines" else part for name, part in address.items() if part} for address in draft["addresses"]
    ]
    return there


def test_the_manual_has_its_examples() -> None:
    assert len(_examples()) == 8
    assert sum(len(example.facts) for example in _examples()) == 13


def test_the_first_import_goes_as_the_manual_tells(tmp_path: Path) -> None:
    example = _examples()[0]
    sink = MemorySink()
    (tmp_path / "sales.toml").write_text(example.mapping)
    (tmp_path / "sales.csv").write_text(example.rows)
    dry = call(tmp_path, [tmp_path / "sales.csv"], tmp_path / "sales.toml", "--dry-run", sink=sink)
    assert dry.counts == (4, 3, 0, 1)
    assert dry.said["rows"] == 5
    assert dry.said["customers"]["met"] == 1
    assert dry.said["notices"] == ["1 row passed over: the total at the end."]
    assert f"batch {dry.said['batch']}\n" in MANUAL
    assert Path(dry.said["rejected_file"]).name in MANUAL
    assert f"sales.csv,{dry.rejected[0]['line']},{dry.rejected[0]['reason']},10004," in MANUAL
    assert call(tmp_path, [tmp_path / "sales.csv"], tmp_path / "sales.toml", sink=sink).counts == (4, 3, 0, 1)
    corrected = tmp_path / "corrected.rejected.csv"
    corrected.write_text(Path(dry.said["rejected_file"]).read_text().replace("32.01.2023", "31.01.2023"))
    assert call(tmp_path, [corrected], tmp_path / "sales.toml", sink=sink).counts == (1, 1, 0, 0)
    assert len(sink.facts) == 4
    assert list(sink.customers) == ["K-17", "K-18"]


def _table(header: str) -> Iterator[list[str]]:
    """The rows of every table of the manual with this header, cells trimmed."""
    for table in re.findall(re.escape(header) + r"\n\|[-|]+\|\n((?:\|.*\n)+)", MANUAL):
        for row in table.splitlines():
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def _cells(text: str) -> dict[str, str]:
    """``Line = `AA01`, Call = `` as cells."""
    return {name: value.strip("`") for name, value in re.findall(r"(\w+) = ?(`[^`]*`|)", text)}


VALUES = [row for row in _table("| write | row | gives |") if row[2] not in {"*holds*", "*does not*"}]
CONDITIONS = [row for row in _table("| write | row | gives |") if row[2] in {"*holds*", "*does not*"}]
NUMBERS = list(_table("| marks of `[file]` | cell | gives |"))
TIMES = list(_table("| format | zone | cell | gives |"))


@pytest.mark.parametrize(("write", "row", "gives"), VALUES)
def test_values(tmp_path: Path, write: str, row: str, gives: str) -> None:
    if gives == "*rejected*":
        with pytest.raises(ValueError, match="column"):
            one_value(tmp_path, write.strip("`"), _cells(row))
    else:
        assert one_value(tmp_path, write.strip("`"), _cells(row)) == (None if gives == "*empty*" else gives.strip("`"))


@pytest.mark.parametrize(("write", "row", "gives"), CONDITIONS)
def test_conditions(tmp_path: Path, write: str, row: str, gives: str) -> None:
    columns = _cells(row)
    mapping = f"""
source = "x"
[[skip]]
when = {write.strip("`")}
[[event]]
type = "purchase.made"
subject = {{ value = "1" }}
time = {{ value = "2020-01-01T00:00:00Z" }}
"""
    result = imported(tmp_path, mapping, ",".join([*columns, "filler"]) + "\n" + ",".join([*columns.values(), "x"]) + "\n")
    assert result.error == ""
    assert result.said["skipped"] == (gives == "*holds*")


@pytest.mark.parametrize(("marks", "cells", "gives"), NUMBERS)
def test_numbers(tmp_path: Path, marks: str, cells: str, gives: str) -> None:
    for cell in re.findall("`([^`]*)`", cells):
        mapping = f"""
source = "x"
[file]
delimiter = "|"
{marks.replace("`", "").replace(" and ", chr(10))}
[[event]]
type = "purchase.made"
subject = {{ value = "1" }}
time = {{ value = "2020-01-01T00:00:00Z" }}
currency = {{ value = "EUR" }}
data.total = {{ column = "N" }}
"""
        result = imported(tmp_path, mapping, f"N|x\n{cell}|y\n")
        assert result.error == ""
        amounts = [data["total"]["amount"] for data in result.data]
        assert amounts == ([] if gives == "*rejected*" else [gives.strip("`")])


@pytest.mark.parametrize(("format_", "zone", "cell", "gives"), TIMES)
def test_times(tmp_path: Path, format_: str, zone: str, cell: str, gives: str) -> None:
    zone_key = f'zone = "{zone.strip("`")}"' if zone else ""
    mapping = f"""
source = "x"
[file]
delimiter = "|"
dates = ["{format_.strip("`")}"]
{zone_key}
[[event]]
type = "call.ended"
subject = {{ value = "1" }}
time = {{ column = "T" }}
data.began_at = {{ column = "T" }}
"""
    result = imported(tmp_path, mapping, f"T|x\n{cell.strip('`')}|y\n", recordable=["call.ended"])
    assert result.error == ""
    assert [data["began_at"] for data in result.data] == ([] if gives == "*rejected*" else [gives.strip("`")])


def test_the_tables_have_their_examples() -> None:
    assert (len(VALUES), len(CONDITIONS), len(NUMBERS), len(TIMES)) == (15, 9, 8, 12)


def test_every_type_and_field_is_in_the_manual_with_its_kind() -> None:
    told: dict[str, dict[str, str]] = {}
    for types, fields in _table("| type | fields |"):
        kinds: dict[str, str] = {}
        for names, kind in re.findall(r"((?:`\w+`(?:, )?)+) (\w+)", fields.replace("`lines`: ", "")):
            kinds |= dict.fromkeys(re.findall(r"`(\w+)`", names), kind)
        for name in re.findall("`([^`]+)`", types):
            told[name] = kinds
            assert (name in WITH_CUSTOMER) == types.endswith("*c*"), name
    expected = {name: {field_name: str(kind) for field_name, kind in fields.items()} for name, fields in FIELDS.items()}
    for name in ("purchase.made", "purchase.returned"):
        expected[name] |= {field_name: str(kind) for field_name, kind in LINE_FIELDS.items()}
    assert told == expected


def test_the_limits_are_those_of_the_code() -> None:
    assert f"at most {MOST_ROWS:,} rows" in MANUAL
    assert f"a line {LONGEST_LINE:,};" in MANUAL
