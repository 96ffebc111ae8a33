# ruff: noqa: E501 - one mistake a line reads as a table
"""A wrong mapping is refused before a row is read, in one sentence that names the file, the place and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.consumers.importing.outcome import SIMPLE, Imported, MemorySink, call, imported

ROWS = "order,at,total\n1,2020-01-01,5\n"


def _refused(folder: Path, mapping: str, rows: str = ROWS, name: str = "rows.csv") -> str:
    result = imported(folder, mapping, rows, name=name)
    assert result.code == 1, result.said
    assert result.sink.checked == 0
    assert not result.sink.batches
    assert "\n" not in result.error
    assert result.error.startswith("map.toml")
    return result.error


GROUP = '[group]\nby = { column = "order" }\n'
CUSTOMER = '[customer]\nexternal_id = { column = "order" }\n'


@pytest.mark.parametrize(
    ("place", "wrong", "sentence"),
    [
        ('source = "shop"', "source =", "this is no TOML"),
        ('source = "shop"', "", 'source: is missing; add source = "…"'),
        ('source = "shop"', "source = 5", "source: must be a text in quotes"),
        ('source = "shop"', 'source = "a\\nb"', "source: The source holds a control character"),
        ('source = "shop"', 'source = "shop"\nsorce = "x"', "sorce: there is no such key here; did you mean 'source'?"),
        ('source = "shop"', 'source = "shop"\nevents = []', "events: there is no such key here; did you mean 'event'?"),
        ("[[event]]", "[event]", "event: must be sections; write [[event]]"),
        ("[file]", "[[file]]", "file: must be a section; write [file]"),
        ("[file]", '[file]\ntype = "xls"', "[file], type: 'xls' is not known here; write one of csv, tsv, ndjson"),
        ("[file]", '[file]\nencoding = "klingon"', "[file], encoding: 'klingon' is no encoding"),
        ("[file]", '[file]\nencoding = "base64"', "[file], encoding: 'base64' is no encoding"),
        ("[file]", '[file]\ndelimiter = "::"', "[file], delimiter: must be one character"),
        ("[file]", '[file]\nquote = "ab"', "[file], quote: must be one character"),
        ("[file]", '[file]\ncolumns = ["a", "a"]', "[file], columns: must name every column"),
        ("[file]", "[file]\nskip_lines = -1", "[file], skip_lines: must be a whole number"),
        ("[file]", '[file]\nunfold = "x"', "[file], unfold: is for NDJSON alone"),
        ("[file]", '[file]\ntype = "ndjson"\ndelimiter = ";"', "[file], delimiter: means nothing for NDJSON"),
        ("[file]", '[file]\ndecimal = ";"', "[file], decimal: must be"),
        ("[file]", '[file]\nthousands = "x"', "[file], thousands: must be one of"),
        ("[file]", '[file]\nthousands = "."', "[file], thousands: must be another sign than decimal"),
        ("Europe/Bucharest", "Europe/Bukarest", "[file], zone: 'Europe/Bukarest' is no time zone; did you mean 'Europe/Bucharest'?"),
        ("Europe/Bucharest", "Europe", "[file], zone: 'Europe' is no time zone"),
        ("Europe/Bucharest", "../../etc/passwd", "[file], zone: '../../etc/passwd' is no time zone"),
        ('"purchase.made"', '"purchase.mad"', "[[event]] 1, type: 'purchase.mad' is no type of event; did you mean 'purchase.made'?"),
        ('"purchase.made"', '"call.ended"', "[[event]] 1, type: call.ended cannot be imported yet; what can is purchase.made, purchase.returned"),
        ('subject = { column = "order" }', "", "[[event]] 1, subject: is missing; add subject = { column"),
        ('{ column = "order" }', '"order"', "[[event]] 1, subject: must be a table in braces; write { column = \"order\" } or { value = \"order\" }"),
        ('{ column = "order" }', "{}", "[[event]] 1, subject: says nowhere where it comes from; write exactly one of column, value"),
        ('{ column = "order" }', '{ column = "order", value = "x" }', "[[event]] 1, subject: has column and value; write exactly one"),
        ('{ column = "order" }', '{ colum = "order" }', "[[event]] 1, subject: says nowhere"),
        ('{ column = "order" }', '{ column = "order", trimm = true }', "[[event]] 1, subject.trimm: there is no such key here"),
        ('{ column = "order" }', '{ column = " " }', "[[event]] 1, subject.column: names no column"),
        ('{ column = "order" }', '{ column = "order", format = "iso" }', "[[event]] 1, subject.format: there is no such key here"),
        ('{ column = "order" }', "{ value = 2020-01-01 }", "[[event]] 1, subject.value: must be a text in quotes, a number"),
        ('{ column = "order" }', '{ template = "a" }', "[[event]] 1, subject.template: 'a' names no column"),
        ('{ column = "order" }', '{ template = "{order" }', "[[event]] 1, subject.template: '{order' has a single {"),
        ('{ column = "order" }', '{ join = [ { column = "order" } ] }', "[[event]] 1, subject.join: must be a list of at least two values"),
        ('{ column = "order" }', '{ join = [ "order", "at" ] }', "[[event]] 1, subject.join: must be a table in braces; write { column"),
        ('{ column = "order" }', '{ seconds_between = [ { column = "at" } ] }', "must be a list of at least two values"),
        ('{ column = "order" }', '{ column = "order", replace = ["a"] }', "[[event]] 1, subject.replace: must be a list of pairs"),
        ('{ column = "order" }', '{ column = "order", replace = [["(", ""]] }', "[[event]] 1, subject.replace: '(' is no regular expression"),
        ('{ column = "order" }', '{ column = "order", replace = [["(a+)+b", ""]] }', "repeats a group that has a repeat in it"),
        ('{ column = "order" }', '{ column = "order", replace = [["((a|b*)c)*", ""]] }', "repeats a group that has a repeat in it"),
        ('{ column = "order" }', '{ column = "order", replace = [["a", "\\\\1"]] }', "the replacement '\\\\1' does not fit 'a'"),
        ('{ column = "order" }', '{ column = "order", replace = [["a", "\\\\q"]] }', "the replacement '\\\\q' does not fit 'a'"),
        ('{ column = "order" }', '{ column = "order", case = "title" }', "[[event]] 1, subject.case: 'title' is not known here"),
        ('{ column = "order" }', '{ column = "order", map = {} }', "[[event]] 1, subject.map: must give a text for each text"),
        ('{ column = "order" }', '{ column = "order", unmapped = "keep" }', "but there is no map"),
        ('{ column = "at" }', '{ column = "at", format = "%Q" }', "[[event]] 1, time.format: %Q in '%Q' is not known"),
        ('{ column = "at" }', '{ column = "at", format = "%Y-%m" }', "[[event]] 1, time.format: '%Y-%m' must have one day (%d)"),
        ('{ column = "at" }', '{ column = "at", format = "%Y-%y-%m-%d" }', "must have one year"),
        ('{ column = "at" }', '{ column = "at", format = "%Y-%m-%d %d" }', "has the same letter twice"),
        ('{ column = "at" }', '{ column = "at", format = "%Y-%m-%d %I:%M" }', "must have %I and %p together"),
        ('{ column = "at" }', '{ column = "at", format = "%Y-%m-%d %H %I %p" }', "has both %H and %I"),
        ('{ column = "at" }', '{ column = "at", zone = "CEST2" }', "[[event]] 1, time.zone: 'CEST2' is no time zone"),
        ('{ column = "at" }', '{ value = "yesterday" }', "[[event]] 1, time: the constant 'yesterday': 'yesterday' is no time written as iso"),
        ('{ value = "RON" }', '{ value = "RONN" }', "[[event]] 1, currency: The currency is not in ISO 4217"),
        ('currency = { value = "RON" }', "", "[[event]] 1, data.total: is money and needs a currency"),
        ("data.total", "data.totl", "[[event]] 1, data.totl: purchase.made has no such field; did you mean 'total'?"),
        ("data.total", "lines.total", "[[event]] 1, lines.total: a line of purchase.made has no such field"),
        ('data.total = { column = "total" }', "lines = {}", "[[event]] 1, lines: has no field"),
        ("data.total =", "data.total = 5 #", "[[event]] 1, data.total: must be a table in braces"),
        ('{ column = "total" }', '{ value = "five" }', "[[event]] 1, data.total: the constant 'five': 'five' is no number"),
        ('{ column = "total" }', '{ column = "total", negate = "yes" }', "[[event]] 1, data.total.negate: must be true or false"),
        ("[[event]]", "[[reject]]\nreason = \"x\"\n[[event]]", "[[reject]] 1, when: is missing"),
        ("[[event]]", '[[reject]]\nwhen = { column = "at", is = "x" }\n[[event]]', "[[reject]] 1, reason: is missing"),
        ("[[event]]", '[[skip]]\nwhen = { column = "at" }\n[[event]]', "[[skip]] 1, when: has no test; write exactly one of is, in"),
        ("[[event]]", '[[skip]]\nwhen = { column = "at", is = "x", in = ["x"] }\n[[event]]', "[[skip]] 1, when: has is and in"),
        ("[[event]]", '[[skip]]\nwhen = { column = "at", is = 5 }\n[[event]]', "[[skip]] 1, when.is: must be a text in quotes"),
        ("[[event]]", '[[skip]]\nwhen = { column = "at", in = [] }\n[[event]]', "[[skip]] 1, when.in: must be a list of texts"),
        ("[[event]]", '[[skip]]\nwhen = { column = "at", empty = "no" }\n[[event]]', "[[skip]] 1, when.empty: must be true or false"),
        ("[[event]]", '[[skip]]\nwhen = { column = "at", above = "5" }\n[[event]]', "[[skip]] 1, when.above: must be a number without quotes"),
        ("[[event]]", '[[skip]]\nwhen = { column = "at", before = "soon" }\n[[event]]', "[[skip]] 1, when.before: the constant 'soon'"),
        ("[[event]]", '[[skip]]\nwhen = { column = "at", matches = "(x*)*" }\n[[event]]', "[[skip]] 1, when.matches: '(x*)*' repeats"),
        ("[[event]]", "[[skip]]\nwhen = { all = [] }\n[[event]]", "[[skip]] 1, when.all: must be a list of conditions"),
        ("[[event]]", '[[skip]]\nwhen = { all = [], any = [] }\n[[event]]', "[[skip]] 1, when: has all and any; put one inside the other"),
        ("[[event]]", '[[skip]]\nwhen = { not = { column = "at", is = "x" }, is = "x" }\n[[event]]', "[[skip]] 1, when.is: there is no such key"),
        ("[[event]]", "[group]\n[[event]]", "[group], by: is missing"),
        ("[[event]]", GROUP + 'differ = "any"\n[[event]]', "[group], differ: 'any' is not known here"),
        ("[[event]]", GROUP + 'order = { column = "at", as = "date" }\n[[event]]', "[group], order.as: 'date' is not known here"),
        ("[[event]]", "[customer]\n[[event]]", "[customer]: says nowhere which customer"),
        ("[[event]]", "[customer]\nphone = { column = \"at\" }\n[customer.capture]\ncompany = { column = \"at\" }\n[[event]]", "[customer]: capturing needs an external_id"),
        ("[[event]]", CUSTOMER + "[customer.capture]\nphones = [ { column = \"at\", kind = \"satellite\" } ]\n[[event]]", "[customer], capture.phones 1.kind: 'satellite' is not known here"),
        ("[[event]]", CUSTOMER + "[customer.capture]\naddresses = [ { label = \"home\" } ]\n[[event]]", "[customer], capture.addresses 1: has no part"),
        ("[[event]]", CUSTOMER + "[customer.capture]\nnick = { column = \"at\" }\n[[event]]", "[customer], capture.nick: there is no such key here"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(tmp_path: Path, place: str, wrong: str, sentence: str) -> None:
    assert place in SIMPLE
    error = _refused(tmp_path, SIMPLE.replace(place, wrong, 1))
    assert sentence in error


def test_a_mapping_must_import_something(tmp_path: Path) -> None:
    assert "there is nothing to import" in _refused(tmp_path, 'source = "x"\n')
    assert "groups the rows of events, but there is no [[event]]" in _refused(
        tmp_path, 'source = "x"\n' + GROUP + CUSTOMER + "[customer.capture]\n"
    )


def test_a_zone_is_needed_for_times_without_offset(tmp_path: Path) -> None:
    mapping = SIMPLE.replace('zone = "Europe/Bucharest"', 'dates = ["%d.%m.%Y"]')
    assert "[[event]] 1, time.zone: '%d.%m.%Y' has no offset, so a zone is needed" in _refused(tmp_path, mapping)


def test_a_column_that_the_file_lacks_is_named_with_the_nearest(tmp_path: Path) -> None:
    assert "[[event]] 1, data.total.column:" in _refused(tmp_path, SIMPLE, "order,at,totals\n1,2020-01-01,5\n")
    assert "has no column 'total'; did you mean 'totals'?" in _refused(tmp_path, SIMPLE, "order,at,totals\n1,2020-01-01,5\n")
    assert "has no column 'total'; its columns are order, at, price." in _refused(tmp_path, SIMPLE, "order,at,price\n")
    assert "the delimiter is perhaps ';'" in _refused(tmp_path, SIMPLE, "order;at;total\n")


def test_a_column_that_no_row_of_ndjson_has_is_named_with_the_nearest(tmp_path: Path) -> None:
    rows = '{"order": 1, "at": "2020-01-01", "Total": 5}\n'
    assert "no row of" in _refused(tmp_path, SIMPLE, rows, "rows.ndjson")
    assert "has 'total'; did you mean 'Total'?" in _refused(tmp_path, SIMPLE, rows, "rows.ndjson")


def test_a_file_whose_name_says_nothing_needs_a_type(tmp_path: Path) -> None:
    assert '[file], type: the name rows.txt does not say what the file is; add type = "csv"' in _refused(tmp_path, SIMPLE, name="rows.txt")


@pytest.mark.parametrize("pattern", ["(ab)+", "[(a+)+]*", r"\(a+\)+", "a+b*c{2,}", "(a|b)*", "(ab{2}){3}"])
def test_a_harmless_regular_expression_is_taken(tmp_path: Path, pattern: str) -> None:
    mapping = SIMPLE.replace("[[event]]", f"[[skip]]\nwhen = {{ column = \"order\", matches = '{pattern}' }}\n[[event]]")
    assert imported(tmp_path, mapping, ROWS).counts == (1, 1, 0, 0)


def test_a_mapping_that_is_not_there_is_a_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    result: Imported = call(tmp_path, [tmp_path / "rows.csv"], tmp_path / "none.toml", sink=MemorySink())
    assert (result.code, result.error) == (
        2,
        f"The mapping {tmp_path / 'none.toml'} cannot be read: No such file or directory; name a TOML file.",
    )
