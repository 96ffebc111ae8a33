"""Personal fields, sealed with AES-GCM before a commit is serialised (design, section 7).

A sealed field stands in the data as `{"sealed": "<encryption key's id>", "text": "<base64 of nonce and ciphertext>"}`. Key,
stream, version and field are authenticated with it, so a sealed text cannot be moved to another place.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.codec.stored import write_json

NONCE_BYTES = 12


class CannotUnseal(ValueError):
    """The text was not sealed with this key for this place: the event is parked, never redacted."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a personal field stands: bound to its ciphertext."""

    key: UUID
    stream: UUID
    version: int
    field: str

    def bytes(self) -> bytes:
        """The associated data."""
        return f"{self.key}|{self.stream}|{self.version}|{self.field}".encode()


def seal(value: Any, secret: bytes, key_id: UUID, place: Place) -> dict[str, str]:
    """Seal JSON values with a 32-byte secret."""
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(secret).encrypt(nonce, write_json(value), place.bytes())
    return {"sealed": str(key_id), "text": b64encode(nonce + ciphertext).decode()}


def unseal(sealed: dict[str, str], secret: bytes, place: Place) -> Any:
    """The JSON values again. Raises CannotUnseal."""
    try:
        text = b64decode(sealed["text"], validate=True)
        return orjson.loads(AESGCM(secret).decrypt(text[:NONCE_BYTES], text[NONCE_BYTES:], place.bytes()))
    except (InvalidTag, KeyError, TypeError, ValueError) as error:
        raise CannotUnseal(f"{place.field} cannot be decrypted") from error


def key_id_of(field: object) -> UUID | None:
    """The id of the encryption key that sealed this field; None if it is not sealed."""
    if isinstance(field, dict) and isinstance(field.get("sealed"), str):
        try:
            return UUID(field["sealed"])
        except ValueError:
            return None
    return None
