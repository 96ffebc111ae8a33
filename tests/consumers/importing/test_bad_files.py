"""Files as they come: torn, damaged, empty, in the wrong encoding, with broken rows.

One row never ends an import; a torn file records nothing.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from consumers.importing.reading.text import LONGEST_LINE
from tests.consumers.importing.outcome import SIMPLE, Imported, MemorySink, call, imported

HEADER = "order,at,total\n"
GOOD = "1,2020-01-01,5\n"


def _rejects(folder: Path, rows: str | bytes, mapping: str = SIMPLE, name: str = "rows.csv") -> Imported:
    result = imported(folder, mapping, rows, name=name)
    assert (result.code, result.error) == (0, "")
    return result


def test_rows_with_too_few_or_too_many_cells_are_rejected(tmp_path: Path) -> None:
    result = _rejects(tmp_path, HEADER + "1,2020-01-01\n2,2020-01-01,5,6\n3,2020-01-01,5\n")
    assert result.counts == (3, 1, 0, 2)
    assert result.reasons == {2: "the row has 2 cells where the header has 3", 3: "the row has 4 cells where the header has 3"}


def test_quoted_cells_may_hold_delimiters_quotes_and_line_ends_and_lines_are_counted_as_they_lie(tmp_path: Path) -> None:
    mapping = SIMPLE + 'data.reason = { column = "note" }\n'
    rows = 'order,at,total,note\n1,2020-01-01,5,"a, ""b""\nc\n\nd"\n2,2020-01-01,x,\n\n3,2020-01-01,5,e\r\n4,never,5,"f\r\ng"\n'
    result = _rejects(tmp_path, rows, mapping)
    assert [data.get("reason") for data in result.data] == ['a, "b"\nc\n\nd', "e"]
    assert list(result.reasons) == [6, 9]


def test_a_quote_that_is_not_closed_costs_its_line_and_not_the_rest(tmp_path: Path) -> None:
    rows = HEADER + GOOD + '2,"2020-01-01,5\n' + "".join(f"{n},2020-01-01,5\n" for n in range(3, 500))
    result = _rejects(tmp_path, rows)
    assert result.counts == (499, 498, 0, 1)
    assert result.reasons == {3: "a quote is opened and not closed"}


def test_an_open_quote_before_a_quoted_cell_or_before_a_long_rest_costs_its_line_alone(tmp_path: Path) -> None:
    rows = HEADER + '1,"2020-01-01,5\n2,2020-01-01,5\n3,"2020-01-01",5\n4,2020-01-01,5\n'
    result = _rejects(tmp_path, rows)
    assert [fact.subject for fact in result.facts] == ["2", "3", "4"]
    assert list(result.reasons) == [2]
    rows = HEADER + '1,"2020-01-01,5\n' + "".join(f"{n},2020-01-01,5\n" for n in range(2, 20_000))
    result = _rejects(tmp_path, rows)
    assert result.counts == (19_999, 19_998, 0, 1)
    assert "a cell is longer than 131,072 characters" in result.reasons[2]


def test_text_behind_a_closing_quote_rejects_the_row(tmp_path: Path) -> None:
    result = _rejects(tmp_path, HEADER + '1,"2020-01-01"x,5\n' + "2,2020-01-01,5\n")
    assert result.counts == (2, 1, 0, 1)
    assert "a quote within a cell must be doubled" in result.reasons[2]


def test_quotes_mean_nothing_where_the_mapping_says_so(tmp_path: Path) -> None:
    mapping = SIMPLE.replace("[file]", '[file]\nquote = ""\nescape = "\\\\"') + 'data.reason = { column = "note" }\n'
    result = _rejects(tmp_path, 'order,at,total,note\n1,2020-01-01,5,5" pipe\n2,2020-01-01,5,a\\,b\n', mapping)
    assert [data["reason"] for data in result.data] == ['5" pipe', "a,b"]


def test_a_nul_byte_rejects_its_row(tmp_path: Path) -> None:
    result = _rejects(tmp_path, HEADER + "1,2020-01-01,\x005\n" + "2,2020-01-01,5\n")
    assert result.counts == (2, 1, 0, 1)
    assert result.reasons == {2: "the line holds a NUL byte, which no text can"}


def test_a_carriage_return_within_a_line_rejects_it(tmp_path: Path) -> None:
    result = _rejects(tmp_path, HEADER.encode() + b"1,2020-01-01\r,5\n2,2020-01-01,5\n")
    assert result.counts == (2, 1, 0, 1)
    assert "a carriage return stands in the middle of the line" in result.reasons[2]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_on_any_system(tmp_path: Path, end: str) -> None:
    result = _rejects(tmp_path, (HEADER + GOOD + "2,x,5\n").replace("\n", end).encode())
    assert result.counts == (2, 1, 0, 1)
    assert list(result.reasons) == [3]


def test_a_line_without_end_is_rejected_and_not_kept(tmp_path: Path) -> None:
    result = _rejects(tmp_path, HEADER + "1,2020-01-01," + "5" * (LONGEST_LINE * 2) + "\n" + "2,2020-01-01,5\n")
    assert result.counts == (2, 1, 0, 1)
    assert result.reasons == {2: f"the line is longer than {LONGEST_LINE:,} characters"}
    assert len(result.rejected[0]["total"]) == 100_001


def test_bytes_of_another_encoding_reject_their_row_and_name_line_byte_and_other_encodings(tmp_path: Path) -> None:
    rows = HEADER.encode() + "é1,2020-01-01,5\n".encode() + "é2,2020-01-01,5\n".encode("cp1252") + GOOD.encode()
    result = _rejects(tmp_path, rows)
    assert result.counts == (3, 2, 0, 1)
    assert result.reasons == {
        3: "byte 1 of the line is 0xE9, which is not utf-8; if the file is in another encoding, such as cp1252 or cp1250, say so in [file]"
    }
    assert result.rejected[0]["order"] == "\\xE92"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8", "utf-16-le"])
def test_a_file_is_read_in_the_encoding_that_is_stated(tmp_path: Path, encoding: str) -> None:
    mapping = SIMPLE.replace("[file]", f'[file]\nencoding = "{encoding}"')
    result = _rejects(tmp_path, (HEADER + "é1,2020-01-01,5\n").encode(encoding), mapping)
    assert [fact.subject for fact in result.facts] == ["é1"]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert _rejects(tmp_path, b"\xef\xbb\xbf" + (HEADER + GOOD).encode()).counts == (1, 1, 0, 0)


def test_a_header_in_another_encoding_refuses_the_file(tmp_path: Path) -> None:
    result = imported(tmp_path, SIMPLE, "orđer,at,total\n".encode("cp1250") + GOOD.encode())
    assert result.code == 1
    assert "the header cannot be read: byte 3 of the line is 0xF0, which is not utf-8" in result.error


def test_utf_16_that_nobody_stated_or_that_breaks_off_refuses_the_file(tmp_path: Path) -> None:
    rows = (HEADER + GOOD).encode("utf-16")
    result = imported(tmp_path, SIMPLE, rows)
    assert (result.code, "is in UTF-16; add encoding" in result.error) == (1, True)
    result = imported(tmp_path, SIMPLE.replace("[file]", '[file]\nencoding = "utf-16"'), rows[:-1])
    assert (result.code, "is not utf-16 after line" in result.error) == (1, True)
    assert not result.sink.batches


def test_a_packed_file_is_read_as_its_content_whatever_its_name(tmp_path: Path) -> None:
    packed = gzip.compress((HEADER + GOOD).encode())
    assert _rejects(tmp_path, packed, name="rows.csv.gz").counts == (1, 1, 0, 0)
    plain = _rejects(tmp_path, HEADER + GOOD, name="rows.csv.gz")
    again = _rejects(tmp_path, packed, name="rows.csv")
    assert plain.said["batch"] == again.said["batch"]


@pytest.mark.parametrize(
    ("keep", "sentence"), [(0.6, "is torn: the packed data ends in the middle, after line"), (1.0, "is damaged after line")]
)
def test_a_torn_or_damaged_packed_file_records_nothing(tmp_path: Path, keep: float, sentence: str) -> None:
    rows = HEADER + "".join(f"{n},2020-01-01,{n * 7919 % 1000}\n" for n in range(60_000))
    packed = bytearray(gzip.compress(rows.encode()))
    if keep == 1.0:
        packed[-6] ^= 0xFF
    result = imported(tmp_path, SIMPLE, bytes(packed[: int(len(packed) * keep)]), name="rows.csv.gz")
    assert result.code == 1
    assert sentence in result.error
    assert "Nothing was recorded; fetch the file again." in result.error
    assert not result.sink.batches
    assert not list(tmp_path.glob(".rejected*"))


def test_an_empty_file_a_file_of_blank_lines_and_a_header_alone(tmp_path: Path) -> None:
    assert "is empty; there is nothing to import" in imported(tmp_path, SIMPLE, b"").error
    assert "is empty" in imported(tmp_path, SIMPLE, gzip.compress(b""), name="rows.csv.gz").error
    assert "has no header; it should be on line 1" in imported(tmp_path, SIMPLE, "\n\n").error
    assert _rejects(tmp_path, HEADER).counts == (0, 0, 0, 0)


def test_rows_without_any_text_are_passed_over(tmp_path: Path) -> None:
    assert _rejects(tmp_path, HEADER + "\n,,\n" + GOOD + "\n").counts == (1, 1, 0, 0)


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    assert "a ZIP archive or an XLSX workbook" in imported(tmp_path, SIMPLE, b"PK\x03\x04abc").error
    assert (
        "packed with bzip2"
        in imported(tmp_path, SIMPLE, b"BZh91AY", name="rows.csv.bz2").error + imported(tmp_path, SIMPLE, b"BZh91AY").error
    )


def test_a_folder_or_a_file_that_is_not_there_is_a_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(SIMPLE)
    result = call(tmp_path, [tmp_path], tmp_path / "map.toml")
    assert (result.code, result.error) == (2, f"{tmp_path} is a folder; name the files in it.")
    (tmp_path / "folder.csv").mkdir()
    result = call(tmp_path, [tmp_path / "folder.csv"], tmp_path / "map.toml")
    assert (result.code, result.error) == (2, f"{tmp_path / 'folder.csv'} is a folder; name the files in it.")
    result = call(tmp_path, [tmp_path / "none.csv"], tmp_path / "map.toml")
    assert (result.code, result.error) == (2, f"{tmp_path / 'none.csv'} cannot be opened: No such file or directory; check the name.")


def test_a_file_that_fails_in_the_middle_records_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: object, buffer: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("consumers.importing.reading.text._Digested.readinto", failing)
    result = imported(tmp_path, SIMPLE, HEADER + GOOD)
    assert result.code == 1
    assert "could not be read after line 0: Input/output error. Nothing was recorded" in result.error


def test_a_file_may_come_through_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(SIMPLE)
    os.mkfifo(tmp_path / "pipe.csv")
    child = os.fork()
    if child == 0:
        (tmp_path / "pipe.csv").write_text(HEADER + GOOD)
        os._exit(0)
    result = call(tmp_path, [tmp_path / "pipe.csv"], tmp_path / "map.toml", sink=MemorySink())
    os.waitpid(child, 0)
    assert result.counts == (1, 1, 0, 0)


def test_the_header_may_be_missing_or_stand_below_other_lines(tmp_path: Path) -> None:
    named = SIMPLE.replace("[file]", '[file]\ncolumns = ["order", "at", "total"]')
    assert _rejects(tmp_path, GOOD + "x\n", named).reasons == {2: "the row has 1 cell where the header has 3"}
    below = SIMPLE.replace("[file]", "[file]\nskip_lines = 2")
    assert _rejects(tmp_path, 'Report "of\n2020\n' + HEADER + GOOD + "x\n", below).reasons == {
        5: "the row has 1 cell where the header has 3"
    }


def test_a_column_may_be_missing_where_the_mapping_says_optional(tmp_path: Path) -> None:
    mapping = SIMPLE.replace("[file]", '[file]\noptional = ["total"]')
    result = _rejects(tmp_path, "order,at\n1,2020-01-01\n", mapping)
    assert result.data == [{}]
    assert _rejects(tmp_path, HEADER + GOOD, mapping).data == [{"total": {"amount": "5", "currency": "RON"}}]


def test_a_column_that_the_header_has_twice_cannot_be_used(tmp_path: Path) -> None:
    result = imported(tmp_path, SIMPLE, "order,at,total,total\n1,2020-01-01,5,6\n")
    assert (result.code, "the header has the column 'total' twice" in result.error) == (1, True)
    assert _rejects(tmp_path, "order,at,total,x,x\n1,2020-01-01,5,6,7\n").counts == (1, 1, 0, 0)
