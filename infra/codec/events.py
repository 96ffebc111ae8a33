"""One event between its dataclass and its data in the log: stable name, schema number, upcasting, personal fields sealed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from domain.decider import EventType
from domain.event_types import BY_CLASS, BY_NAME
from infra.codec.personal import CannotUnseal, Place, key_id_of, seal, unseal
from infra.codec.stored import Field, UnreadableData, decode, encode, fields_of
from infra.keys.keyring import EncryptionKey

Secrets = Mapping[UUID, bytes | None]
"""By encryption key id: the secret, or None where its owner was erased."""


class UnknownType(UnreadableData):
    """An event type that this software does not know: accepted, and parked by the projection that minds."""


def type_of(event: object) -> EventType:
    """How this event stands in the log."""
    return BY_CLASS[type(event)]


def owner_of(event_type: EventType, key: UUID, stream: UUID) -> UUID:
    """Whose encryption key seals the personal fields."""
    return key if event_type.interaction else stream


def has_personal(event: Any) -> bool:
    """Whether anything in this event must be sealed."""
    return bool(_to_seal(event))


def _to_seal(event: Any) -> list[str]:
    """The personal fields that hold something; what is equal to its default need not be written."""
    return [field.json_name for field in personal_fields_of(type(event)) if getattr(event, field.name) != field.missing]


_personal: dict[type, tuple[Field, ...]] = {}


def personal_fields_of(cls: type) -> tuple[Field, ...]:
    """The fields to be sealed: looked up for each of a million facts."""
    found = _personal.get(cls)
    if found is None:
        found = _personal[cls] = tuple(field for field in fields_of(cls) if field.personal)
    return found


def write_data(event: Any, place: Callable[[str], Place], key: EncryptionKey | None) -> dict[str, Any]:
    """The event's data as it stands in the log. `key` is needed if it has_personal."""
    data = encode(event)
    personal = personal_fields_of(type(event))
    if personal:
        sealed = _to_seal(event)
        for field in personal:
            name = field.json_name
            if name not in sealed:
                data.pop(name, None)
            elif key is None:
                raise ValueError("a personal field cannot be written without an encryption key")
            else:
                data[name] = seal(data[name], key.secret, key.id, place(name))
    return data


def sealing_keys(event_type: EventType, data: object) -> set[UUID]:
    """The ids of the encryption keys needed to read this data."""
    if not isinstance(data, dict):
        return set()
    names = (field.json_name for field in personal_fields_of(event_type.cls))
    return {key_id for name in names if (key_id := key_id_of(data.get(name))) is not None}


def read_data(
    type_name: str | None, schema: int | None, data: Any, place: Callable[[str], Place], secrets: Secrets
) -> tuple[Any, frozenset[str]]:
    """(the event, the names of its fields that were erased). Raises UnreadableData, CannotUnseal: the event is parked."""
    event_type = BY_NAME.get(type_name or "")
    if event_type is None:
        raise UnknownType(f"the event type {type_name} is not known to this version")
    if not isinstance(data, dict):
        raise UnreadableData(f"the data of {type_name} is no object")
    opened, erased = _open(event_type, data, place, secrets)
    return decode(event_type.cls, _upcast(event_type, schema, opened)), erased


def _open(
    event_type: EventType, data: dict[str, Any], place: Callable[[str], Place], secrets: Secrets
) -> tuple[dict[str, Any], frozenset[str]]:
    opened, erased = data, frozenset[str]()
    for field in personal_fields_of(event_type.cls):
        if field.json_name not in data:
            continue
        key_id = key_id_of(data[field.json_name])
        if key_id is None or key_id not in secrets:
            raise CannotUnseal(f"the encryption key of {event_type.name}.{field.json_name} is not known")
        if opened is data:
            opened = dict(data)
        secret = secrets[key_id]
        if secret is None:
            del opened[field.json_name]
            erased |= {field.json_name}
        else:
            opened[field.json_name] = unseal(data[field.json_name], secret, place(field.json_name))
    return opened, erased


def _upcast(event_type: EventType, schema: int | None, data: dict[str, Any]) -> dict[str, Any]:
    if schema is None or not 1 <= schema <= event_type.schema:
        raise UnknownType(f"schema {schema} of {event_type.name} is not known to this version")
    for upcaster in event_type.upcasters[schema - 1 :]:
        data = upcaster(data)
    return data
