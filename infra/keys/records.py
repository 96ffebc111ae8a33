"""What stands in `crm.keys`. The record's key is the encryption key's id, or the owner's id for the owner's own erased marker."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from uuid import UUID

import orjson

from infra.log.contract import Outgoing, Record

ERASURE_LOCK = 0x6B657973  # "keys"
"""PostgreSQL's advisory lock: held alone while encryption keys and erasures are indexed, shared while something is written in the
clear that an erasure must find."""

HEADERS = (("content-type", b"application/json"),)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An encryption key, wrapped."""

    id: UUID
    owner: UUID
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class ErasedRecord:
    """The marker that overwrites a key's record, and stands once under the owner: for ever."""

    id: UUID
    owner: UUID


def key_record(key: KeyRecord) -> Outgoing:
    """To append when a key is made."""
    body = {"format": 1, "kind": "encryption_key", "owner": str(key.owner), "wrapped": b64encode(key.wrapped).decode()}
    return Outgoing(str(key.id).encode(), orjson.dumps(body), HEADERS)


def erased_record(erased: ErasedRecord) -> Outgoing:
    """To append over a key's record, and under the owner."""
    return Outgoing(str(erased.id).encode(), orjson.dumps({"format": 1, "erased": str(erased.owner)}), HEADERS)


def parse(record: Record) -> KeyRecord | ErasedRecord | None:
    """None for what is neither: another kind of secret, or bytes that nobody of ours wrote."""
    try:
        body = orjson.loads(record.value or b"")
        record_id = UUID((record.key or b"").decode())
        if "erased" in body:
            return ErasedRecord(record_id, UUID(body["erased"]))
        if body.get("kind") == "encryption_key":
            return KeyRecord(record_id, UUID(body["owner"]), b64decode(body["wrapped"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return None
