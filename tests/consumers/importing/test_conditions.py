"""Which rows are meant: tests, and what is composed of them; rows passed over and rows rejected by value."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.consumers.importing.outcome import imported

ROWS = "n,word,price,at\n1,apple,10.50,2020-01-01\n2,Apple pie,-3,2020-06-01\n3,,0,2021-01-01\n4,pear,,2022-01-01\n"


def _meant(folder: Path, condition: str) -> list[str]:
    """The n of the rows for which the condition holds."""
    mapping = f"""
source = "shop"
[file]
zone = "UTC"
[[skip]]
when = {{ not = {condition} }}
[[event]]
type = "purchase.made"
subject = {{ column = "n" }}
time = {{ column = "at" }}
"""
    result = imported(folder, mapping, ROWS)
    assert result.code == 0, result.error
    assert not result.rejected
    assert result.said["skipped"] == 4 - len(result.facts)
    return [fact.subject for fact in result.facts]


@pytest.mark.parametrize(
    ("condition", "meant"),
    [
        ('{ column = "word", is = "apple" }', "1"),
        ('{ column = "word", case = "lower", starts_with = "apple" }', "12"),
        ('{ column = "word", starts_with = ["pe", "Ap"] }', "24"),
        ('{ column = "word", ends_with = "e" }', "12"),
        ('{ column = "word", contains = "pp" }', "12"),
        ('{ column = "word", in = ["apple", "pear"] }', "14"),
        ('{ column = "word", matches = "[a-z]+" }', "14"),
        ('{ column = "word", empty = true }', "3"),
        ('{ column = "word", empty = false }', "124"),
        ('{ column = "price", above = 0 }', "1"),
        ('{ column = "price", below = 0.5 }', "23"),
        ('{ column = "at", before = "2020-06-01" }', "1"),
        ('{ column = "at", after = "2020-06-01T00:00:00Z" }', "34"),
        ('{ not = { column = "word", is = "apple" } }', "234"),
        ('{ all = [ { column = "word", empty = false }, { column = "price", below = 5 } ] }', "2"),
        ('{ any = [ { column = "word", empty = true }, { column = "price", empty = true } ] }', "34"),
        ('{ any = [ { all = [ { column = "n", is = "1" } ] }, { not = { column = "n", below = 4 } } ] }', "14"),
    ],
)
def test_a_condition_means_these_rows(tmp_path: Path, condition: str, meant: str) -> None:
    assert "".join(_meant(tmp_path, condition)) == meant


MAPPING = """
source = "shop"
[file]
zone = "UTC"
[[skip]]
when = { column = "word", is = "pear" }
reason = "pears are no goods"
[[skip]]
when = { column = "n", is = "9" }
[[reject]]
when = { column = "price", below = 0 }
reason = "a price below nothing"
[[event]]
when = { column = "word", starts_with = "a" }
type = "purchase.made"
subject = { column = "n" }
time = { column = "at" }
"""


def test_rows_are_passed_over_rejected_by_value_or_fit_no_event_and_each_is_said(tmp_path: Path) -> None:
    result = imported(tmp_path, MAPPING, ROWS)
    assert [fact.subject for fact in result.facts] == ["1"]
    assert result.counts == (3, 1, 0, 2)
    assert (result.said["skipped"], result.said["rows"]) == (1, 3)
    assert result.said["notices"] == ["1 row passed over: pears are no goods."]
    assert result.reasons == {
        3: "a price below nothing",
        4: "no [[event]] of the mapping fits this row; add one, or a [[skip]] if it is nothing",
    }


def test_a_condition_that_cannot_be_told_rejects_the_row(tmp_path: Path) -> None:
    result = imported(tmp_path, MAPPING, "n,word,price,at\n1,apple,cheap,2020-01-01\n")
    assert "column price: 'cheap' is no number" in result.reasons[2]
    assert result.counts == (1, 0, 0, 1)


SEVERAL = """
source = "desk"
[file]
zone = "UTC"
[[event]]
when = { column = "kind", is = "in" }
type = "call.rang"
subject = { column = "id" }
time = { column = "begin" }
data.direction = { value = "inbound" }
[[event]]
type = "call.rang"
subject = { column = "id" }
time = { column = "begin" }
data.direction = { value = "outbound" }
[[event]]
also = true
when = { column = "end", empty = false }
type = "call.ended"
subject = { column = "id" }
time = { column = "end" }
"""


def test_the_first_section_that_fits_makes_the_event_and_every_also_makes_one_more(tmp_path: Path) -> None:
    rows = "id,kind,begin,end\n1,in,2020-01-01,2020-01-02\n2,out,2020-01-01,\n3,in,2020-01-01,never\n"
    result = imported(tmp_path, SEVERAL, rows, recordable=["call.rang", "call.ended"])
    said = [(fact.subject, fact.type, fact.data.get("direction")) for fact in result.facts]
    assert said == [("1", "call.rang", "inbound"), ("1", "call.ended", None), ("2", "call.rang", "outbound"), ("3", "call.rang", "inbound")]
    assert result.counts == (5, 4, 0, 1)
    assert "column end: 'never' is no time" in result.reasons[4]
