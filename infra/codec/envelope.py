"""The envelope of format 1, as bytes: what every reader, old or new, must read the same for ever.

Only what the acceptance rule needs is looked at here: format, id, key, reads, streams, versions. Types, times, data and
encryption are somebody else's; an envelope with a strange type is as valid as any.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

FORMAT = 1
LARGEST_VERSION = 2**31 - 1
"""Versions fit PostgreSQL's integer; a larger one is no format-1 envelope."""

_uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch


class NotAnEnvelope(ValueError):
    """Bytes that are no valid format-1 envelope: refused, for ever. The message is the reason."""


class HigherFormat(Exception):
    """A format that this software is too old for: the partition waits until it is upgraded."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One commit as it stands in the log. Ids stay text: half a million facts a minute need no UUID objects."""

    id: str
    key: str
    reads: dict[str, int]
    events: list[dict[str, Any]]
    rest: dict[str, Any]
    """The whole JSON object, for the fields that the rule does not look at."""


def read_envelope(value: bytes | None, record_key: bytes | None) -> Envelope:
    """Parse and check one record. Raises NotAnEnvelope (refused) or HigherFormat (stop)."""
    body = _object(value)
    _check_format(body.get("format"))
    commit, key = _canonical(body.get("id"), "id"), _canonical(body.get("key"), "key")
    if record_key != key.encode():
        raise NotAnEnvelope("the record's key is not the commit's key")
    return Envelope(commit, key, _reads(body.get("reads", {})), _events(body.get("events")), body)


def _object(value: bytes | None) -> dict[str, Any]:
    if value is None:
        raise NotAnEnvelope("no value")
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise NotAnEnvelope("not strict UTF-8 JSON") from error
    if type(body) is not dict:
        raise NotAnEnvelope("not a JSON object")
    return body


def _check_format(number: object) -> None:
    if type(number) is not int:
        raise NotAnEnvelope("format is no integer")
    if number > FORMAT:
        raise HigherFormat(f"format {number}")
    if number != FORMAT:
        raise NotAnEnvelope(f"format {number} never existed")


def _canonical(text: object, name: str) -> str:
    if type(text) is not str or not _uuid(text):
        raise NotAnEnvelope(f"{name} is no UUID of 36 lower-case characters")
    return text


def _version(number: object, name: str, least: int) -> int:
    if type(number) is not int or not least <= number <= LARGEST_VERSION:
        raise NotAnEnvelope(f"{name} is no integer from {least} to {LARGEST_VERSION}")
    return number


def _reads(reads: object) -> dict[str, int]:
    if type(reads) is not dict:
        raise NotAnEnvelope("reads is no object")
    for stream, version in reads.items():
        _canonical(stream, "a stream in reads")
        _version(version, "a version in reads", 0)
    return reads


def _events(events: object) -> list[dict[str, Any]]:
    if type(events) is not list or not events:
        raise NotAnEnvelope("events is no list with something in it")
    for event in events:
        if type(event) is not dict:
            raise NotAnEnvelope("an event is no object")
        _canonical(event.get("stream"), "an event's stream")
        _version(event.get("version"), "an event's version", 1)
    return events
