"""The library's Mapper over our codec: names instead of Python paths, sealed personal fields, upcasting."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, StoredEvent

from domain.event_types import BY_NAME
from infra.codec.events import has_personal, owner_of, read_data, sealing_keys, type_of, write_data
from infra.codec.personal import CannotUnseal, Place
from infra.codec.stored import UnreadableData, decode, encode, write_json
from infra.codec.times import read_time, write_time
from infra.eventstore.numbered import Numbered, StateSnapshot, StreamId, split
from infra.eventstore.snapshots import state_classes
from infra.keys.keyring import Keyring


class EventMapper(Mapper[Any]):
    """The only codec of the write side, for the log and for snapshots."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(JSONTranscoder())
        self.keyring = keyring

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """Seal and serialise. Raises OwnerErased."""
        if isinstance(domain_event, StateSnapshot):
            snapshot = {"occurred_at": write_time(domain_event.occurred_at), "state": encode(domain_event.state)}
            return _stored(domain_event.originator_id, domain_event.originator_version, domain_event.topic, snapshot)
        numbered: Numbered = domain_event
        key, stream = split(numbered.originator_id)
        event_type = type_of(numbered.event)
        secret = None
        if has_personal(numbered.event):
            secret = self.keyring.for_owner(owner_of(event_type, key, stream))
        state: dict[str, Any] = {
            "schema": event_type.schema,
            "occurred_at": write_time(numbered.occurred_at),
            **({} if numbered.said_at is None else {"said_at": write_time(numbered.said_at)}),
            "data": write_data(numbered.event, lambda name: Place(key, stream, numbered.originator_version, name), secret),
        }
        return _stored(numbered.originator_id, numbered.originator_version, event_type.name, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """Open what was stored. Raises MapperDeserialisationError."""
        originator_id: Any = stored_event.originator_id
        version = stored_event.originator_version
        body = orjson.loads(stored_event.state)
        occurred_at = read_time(body["occurred_at"])
        if occurred_at is None:
            raise MapperDeserialisationError(f"the time of version {version} cannot be read")
        if "state" in body:  # an event's name may be anything that another writer wrote; its body never holds a state
            state = decode(state_classes()[stored_event.topic], body["state"])
            return StateSnapshot(originator_id, version, stored_event.topic, state, occurred_at)
        event = self._event(stored_event.topic, body, split(originator_id), version)
        return Numbered(originator_id, version, event, occurred_at)

    def _event(self, name: str, body: dict[str, Any], stream_id: StreamId, version: int) -> Any:
        def place(field: str) -> Place:
            return Place(*stream_id, version, field)

        try:
            needed: set[UUID] = sealing_keys(BY_NAME[name], body["data"]) if name in BY_NAME else set()
            return read_data(name, body.get("schema"), body["data"], place, self.keyring.find(needed) if needed else {})[0]
        except (UnreadableData, CannotUnseal) as error:
            raise MapperDeserialisationError(f"version {version} cannot be read: {error}") from error


def _stored(originator_id: Any, version: int, topic: str, state: dict[str, Any]) -> StoredEvent:
    # A kept orjson buffer pins kilobytes: copy it (notes on the library).
    return StoredEvent(originator_id, version, topic, bytes(memoryview(write_json(state))))
