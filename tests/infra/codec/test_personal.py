"""A sealed text opens in its own place, with its own key, and nowhere else."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from infra.codec.personal import CannotUnseal, Place, key_id_of, seal, unseal

SECRET, KEY_ID = bytes(range(32)), UUID(int=7)
PLACE = Place(UUID(int=1), UUID(int=2), 3, "name")
SEALED = seal({"given": "Ana", "n": [1, None]}, SECRET, KEY_ID, PLACE)


def test_what_was_sealed_opens_in_its_place() -> None:
    assert unseal(SEALED, SECRET, PLACE) == {"given": "Ana", "n": [1, None]}
    assert key_id_of(SEALED) == KEY_ID


def test_a_sealed_text_shows_nothing_and_never_looks_the_same() -> None:
    again = seal({"given": "Ana", "n": [1, None]}, SECRET, KEY_ID, PLACE)
    assert again["text"] != SEALED["text"]
    assert b"Ana" not in b64decode(SEALED["text"])


@pytest.mark.parametrize(
    "elsewhere",
    [replace(PLACE, key=uuid4()), replace(PLACE, stream=uuid4()), replace(PLACE, version=4), replace(PLACE, field="reason"),
     replace(PLACE, key=PLACE.stream, stream=PLACE.key)],
    ids=["key", "stream", "version", "field", "key and stream swapped"],
)  # fmt: skip
def test_a_sealed_text_moved_to_another_place_cannot_be_opened(elsewhere: Place) -> None:
    with pytest.raises(CannotUnseal):
        unseal(SEALED, SECRET, elsewhere)


def test_another_secret_does_not_open_it() -> None:
    with pytest.raises(CannotUnseal):
        unseal(SEALED, bytes(32), PLACE)


def test_a_changed_byte_does_not_open() -> None:
    text = bytearray(b64decode(SEALED["text"]))
    text[20] ^= 1
    with pytest.raises(CannotUnseal):
        unseal({**SEALED, "text": b64encode(bytes(text)).decode()}, SECRET, PLACE)


@pytest.mark.parametrize("text", ["", "AAAA", "?", SEALED["text"][:20], SEALED["text"] + "=", 7, None, [], "\u0219"])
def test_a_text_that_is_none_does_not_open(text: object) -> None:
    broken: dict[str, str] = {"sealed": str(KEY_ID), "text": text}  # type: ignore[dict-item]
    with pytest.raises(CannotUnseal):
        unseal(broken, SECRET, PLACE)


def test_a_text_that_is_missing_does_not_open() -> None:
    with pytest.raises(CannotUnseal):
        unseal({"sealed": str(KEY_ID)}, SECRET, PLACE)


@pytest.mark.parametrize("field", [None, "Ana", 7, [], {}, {"sealed": 7}, {"sealed": "x"}, {"text": "x"}, {"sealed": None, "text": ""}])
def test_what_is_not_sealed_names_no_key(field: object) -> None:
    assert key_id_of(field) is None
