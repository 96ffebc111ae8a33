"""Events between their dataclass and the log: sealed fields, upcasting, and what a reader cannot read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from domain.decider import EventType, personal
from infra.codec import events
from infra.codec.events import UnknownType, has_personal, owner_of, read_data, sealing_keys, write_data
from infra.codec.personal import CannotUnseal, Place
from infra.codec.stored import UnreadableData, write_json
from infra.keys.keyring import EncryptionKey

KEY, STREAM = UUID(int=1), UUID(int=2)
SECRET = EncryptionKey(UUID(int=7), bytes(range(32)))


@dataclass(frozen=True)
class Dog:
    breed: str
    legs: int = 4
    name: str | None = personal()
    toys: tuple[str, ...] = personal(())


def _legs_from_paws(data: dict[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in data.items() if name != "paws"}, "legs": data["paws"]}


def _breed_from_race(data: dict[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in data.items() if name != "race"}, "breed": data["race"].lower()}


DOG = EventType("dog.seen", Dog, (_breed_from_race, _legs_from_paws))


@pytest.fixture(autouse=True)
def _dogs_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BY_NAME", {"dog.seen": DOG})
    monkeypatch.setattr(events, "BY_CLASS", {Dog: DOG})


def place(field: str) -> Place:
    return Place(KEY, STREAM, 3, field)


def written(dog: Dog, key: EncryptionKey | None = SECRET) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(write_json(write_data(dog, place, key)))
    return found


def read(data: Any, schema: int | None = 3, name: str | None = "dog.seen", secrets: Any = None) -> tuple[Any, frozenset[str]]:
    return read_data(name, schema, data, place, {SECRET.id: SECRET.secret} if secrets is None else secrets)


REX = Dog("collie", 3, "Rex", ("ball", "bone"))


def test_what_is_personal_is_sealed_and_opens_again() -> None:
    data = written(REX)
    assert data["breed"] == "collie"
    assert "Rex" not in str(data)
    assert "ball" not in str(data)
    assert read(data) == (REX, frozenset())
    assert sealing_keys(DOG, data) == {SECRET.id}


def test_what_was_erased_reads_as_its_default_and_is_named() -> None:
    assert read(written(REX), secrets={SECRET.id: None}) == (Dog("collie", 3), {"name", "toys"})


def test_a_field_that_says_nothing_needs_no_key() -> None:
    stray = Dog("stray", 3)
    assert not has_personal(stray)
    data = written(stray, None)
    assert set(data) == {"breed", "legs"}
    assert read(data, secrets={}) == (stray, frozenset())
    assert sealing_keys(DOG, data) == set()


def test_nothing_personal_is_written_without_a_key() -> None:
    assert has_personal(REX)
    with pytest.raises(ValueError, match="without an encryption key"):
        write_data(REX, place, None)


def test_a_key_that_is_not_known_is_not_taken_for_erased() -> None:
    with pytest.raises(CannotUnseal, match=r"the encryption key of dog\.seen\.name is not known"):
        read(written(REX), secrets={})


@pytest.mark.parametrize("clear", ["Rex", None, 7, {}, {"text": "x"}])
def test_a_personal_field_in_the_clear_is_not_read(clear: Any) -> None:
    """Whoever wrote it did not seal it, so nobody could erase it."""
    with pytest.raises(CannotUnseal):
        read({"breed": "x", "legs": 4, "name": clear})


def test_old_schemas_are_read_through_every_step() -> None:
    sealed = written(REX)["name"]
    assert read({"race": "Collie", "paws": 3, "name": sealed}, 1) == (Dog("collie", 3, "Rex"), frozenset())
    assert read({"breed": "Collie", "paws": 3}, 2) == (Dog("Collie", 3), frozenset())
    assert read({"breed": "Collie", "legs": 3}, 3) == (Dog("Collie", 3), frozenset())
    assert DOG.schema == 3


@pytest.mark.parametrize("schema", [None, 0, -1, 4])
def test_a_schema_that_is_not_known_is_said(schema: int | None) -> None:
    with pytest.raises(UnknownType, match=f"schema {schema} of dog.seen is not known"):
        read({"breed": "x"}, schema)


@pytest.mark.parametrize("name", [None, "", "cat.seen", "Dog.seen"])
def test_a_type_that_is_not_known_is_said(name: str | None) -> None:
    with pytest.raises(UnknownType, match="is not known to this version"):
        read({"breed": "x"}, name=name)


@pytest.mark.parametrize("data", [None, [], "x", 7, True])
def test_data_that_is_no_object_is_said(data: Any) -> None:
    with pytest.raises(UnreadableData, match="is no object"):
        read(data)
    assert sealing_keys(DOG, data) == set()


def test_reading_leaves_what_was_stored_as_it_is() -> None:
    data = written(REX)
    before = dict(data)
    read(data)
    assert data == before


def test_an_interactions_fields_are_its_own_and_a_persons_are_the_streams() -> None:
    key, stream = uuid4(), uuid4()
    assert owner_of(DOG, key, stream) == stream
    assert owner_of(EventType("mail.seen", Dog, interaction=True), key, stream) == key
