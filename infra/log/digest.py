"""The chain of digests over a partition (design, section 9): any record changed, lost, added or moved changes all that follow."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from struct import Struct

from infra.log.contract import Header, Record

START = bytes(32)
"""The digest before a partition's first record."""

_PLACE = Struct(">qq").pack
_NUMBER = Struct(">i").pack
_NULL = _NUMBER(-1)
_NO_HEADERS = _NUMBER(0)


def chain(digest: bytes, record: Record) -> bytes:
    """The 32 bytes after `record`, given those before it: SHA-256 of `digest` and of every byte that the log holds of the record."""
    key, value = record.key, record.value
    return sha256(
        b"".join(
            (
                digest,
                _PLACE(record.offset, record.timestamp),
                _NULL if key is None else _NUMBER(len(key)) + key,
                headers_bytes(record.headers) if record.headers else _NO_HEADERS,
                _NULL if value is None else _NUMBER(len(value)),
                value or b"",
            )
        )
    ).digest()


def headers_bytes(headers: Sequence[Header]) -> bytes:
    """Headers as the digest takes them, and as the embedded log stores them: the count, then each name and value after its length.

    Raises UnicodeEncodeError for a name that UTF-8 cannot hold.
    """
    parts = [_NUMBER(len(headers))]
    for name, value in headers:
        encoded = name.encode()
        parts += (_NUMBER(len(encoded)), encoded)
        parts += (_NULL,) if value is None else (_NUMBER(len(value)), value)
    return b"".join(parts)


def headers_from(data: bytes) -> tuple[Header, ...]:
    """The inverse of `headers_bytes`."""
    if data == _NO_HEADERS:
        return ()
    place = 4
    fields: list[bytes | None] = []
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big", signed=True)
        place += 4
        fields.append(None if length < 0 else data[place : place + length])
        place += max(length, 0)
    return tuple(((name or b"").decode(), value) for name, value in zip(fields[::2], fields[1::2], strict=True))
