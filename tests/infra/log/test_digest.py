"""The chain of digests, against bytes written by hand from the design (section 9)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.log.contract import Record, Topic
from infra.log.digest import START, chain, headers_bytes, headers_from

RECORD = Record(Topic.DECISIONS, 3, 258, 1_700_000_000_123, b"key", b"value!", (("a", b"\x00\x01"), ("null", None)))


def test_the_digest_is_that_of_bytes_written_by_hand() -> None:
    by_hand = (
        "00" * 32  # before the first record
        + "0000000000000102"  # the offset, 258
        + "0000018bcfe5687b"  # the time, 1,700,000,000,123 ms
        + "00000003" + "6b6579"  # key
        + "00000002"  # two headers
        + "00000001" + "61" + "00000002" + "0001"  # a: two bytes
        + "00000004" + "6e756c6c" + "ffffffff"  # null: null
        + "00000006" + "76616c756521"  # value!
    )  # fmt: skip
    assert chain(START, RECORD) == sha256(bytes.fromhex(by_hand)).digest()


def test_null_is_not_empty() -> None:
    by_hand = "11" * 32 + "0000000000000000" + "0000000000000000" + "ffffffff" + "00000000" + "ffffffff"
    assert chain(b"\x11" * 32, Record(Topic.FACTS, 0, 0, 0, None, None)) == sha256(bytes.fromhex(by_hand)).digest()
    empty = "11" * 32 + "0000000000000000" + "0000000000000000" + "00000000" + "00000000" + "00000000"
    assert chain(b"\x11" * 32, Record(Topic.FACTS, 0, 0, 0, b"", b"")) == sha256(bytes.fromhex(empty)).digest()


@pytest.mark.parametrize(
    "changed",
    [
        {"offset": 259},
        {"timestamp": 1_700_000_000_124},
        {"key": b"kez"},
        {"key": None},
        {"value": b"value?"},
        {"value": None},
        {"headers": ()},
        {"headers": (("null", None), ("a", b"\x00\x01"))},
        {"headers": (("a", b"\x00\x01"), ("null", b""))},
        {"key": b"ke", "value": b"yvalue!"},
    ],
    ids=str,
)
def test_any_change_changes_the_digest(changed: dict[str, object]) -> None:
    assert chain(START, replace(RECORD, **changed)) != chain(START, RECORD)  # type: ignore[arg-type]


def test_what_came_before_changes_the_digest() -> None:
    assert chain(chain(START, RECORD), RECORD) != chain(START, RECORD)


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.none() | st.binary(max_size=300)), max_size=6).map(tuple))
def test_headers_come_back_as_they_were(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    assert headers_from(headers_bytes(headers)) == headers
