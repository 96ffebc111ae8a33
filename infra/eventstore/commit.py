"""Writes the envelope of format 1."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from eventsourcing.persistence import StoredEvent

from infra.codec.envelope import FORMAT
from infra.codec.times import write_time
from infra.eventstore.numbered import split
from infra.log.contract import Outgoing


@dataclass(frozen=True)
class CommitContext:
    """Who and what caused a commit: everything of the envelope that is not an event."""

    actor: str
    """`user:<id>` or `system:<name>`."""
    recorded_at: datetime
    id: UUID = field(default_factory=uuid4)
    attempt: int = 1
    request: str | None = None
    reads: Mapping[UUID, int] = field(default_factory=dict)
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None


def new_traceparent() -> str:
    """A new W3C trace context, not sampled: who traces gives their own."""
    return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-00"


def write_commit(events: Sequence[StoredEvent], context: CommitContext) -> Outgoing:
    """All events of one commit as one record. Raises ValueError if they do not share one key."""
    keys = {split(_id(event))[0] for event in events}
    if len(keys) != 1:
        raise ValueError("all events of a commit share one key")
    key, commit = str(keys.pop()), str(context.id)
    body: dict[str, Any] = {
        "format": FORMAT,
        "id": commit,
        "attempt": context.attempt,
        "key": key,
        "request": context.request,
        "recorded_at": write_time(context.recorded_at),
        "actor": context.actor,
        "correlation_id": context.correlation_id or commit,
        "causation_id": context.causation_id,
        "reads": {str(stream): version for stream, version in context.reads.items()},
        "events": [orjson.Fragment(_event(event)) for event in events],
    }
    headers = (("content-type", b"application/json"), ("traceparent", (context.traceparent or new_traceparent()).encode()))
    return Outgoing(key.encode(), orjson.dumps({name: value for name, value in body.items() if value is not None}), headers)


def _event(event: StoredEvent) -> bytes:
    """The stored state is a JSON object already: its place is put in front of it."""
    stream = split(_id(event))[1]
    return (
        b'{"stream":"%s","version":%d,"type":%s,' % (str(stream).encode(), event.originator_version, orjson.dumps(event.topic))
        + event.state[1:]
    )


def _id(event: StoredEvent) -> Any:
    return event.originator_id
