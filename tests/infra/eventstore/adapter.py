"""Between the library's shipped suites and our recorder: their states are opaque bytes and some of their versions begin at 0, while our
log holds JSON and begins at 1. So a state goes in as JSON text (base64), and a version from 0 is one higher in the log. That is all.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import orjson
from eventsourcing.persistence import AggregateRecorder, ApplicationRecorder, Notification, StoredEvent

from infra.eventstore.application import Factory
from infra.eventstore.recorder import LogRecorder
from infra.eventstore.tables import SnapshotRecorder
from tests.infra.crm import D, Shop


class AdaptedRecorder(LogRecorder):
    """Our recorder, with opaque states as JSON."""

    first_version = 0
    """Where the suite's versions begin."""

    @property
    def shift(self) -> int:
        """How much higher a version is in the log."""
        return 1 - self.first_version

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        return super().insert_events([_into_the_log(event, self.shift) for event in stored_events], **kwargs)

    def select_events(
        self, originator_id: Any, *, gt: int | None = None, lte: int | None = None, desc: bool = False, limit: int | None = None
    ) -> Sequence[StoredEvent]:
        gt, lte = (None if bound is None else bound + self.shift for bound in (gt, lte))
        return [
            _out_of_the_log(event, self.shift) for event in super().select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)
        ]

    def select_notifications(
        self, start: int | None, limit: int, stop: int | None = None, topics: Sequence[str] = (), *, inclusive_of_start: bool = True
    ) -> Sequence[Notification]:
        found = super().select_notifications(start, limit, stop, topics, inclusive_of_start=inclusive_of_start)
        return [_out_of_the_log(notification, self.shift) for notification in found]


def _into_the_log(event: StoredEvent, shift: int) -> StoredEvent:
    body = {"schema": 1, "occurred_at": "2026-11-22T10:00:00Z", "data": {"state": b64encode(event.state).decode()}}
    return replace(event, originator_version=event.originator_version + shift, state=orjson.dumps(body))


def _out_of_the_log(event: Any, shift: int) -> Any:
    state = b64decode(orjson.loads(event.state)["data"]["state"])
    return replace(event, originator_version=event.originator_version - shift, state=state)


class ExampleRecorder(AdaptedRecorder):
    """For the library's aggregates, whose versions begin at 1 as ours do."""

    first_version = 1


class AdaptedFactory(Factory):
    """Our factory as the library makes one: from the environment alone. The shop is the test's; its log has one partition."""

    shop: ClassVar[Shop]

    def __init__(self, env: Any) -> None:
        crm = self.shop.crm
        super().__init__(env, D, crm.log, crm.pool, crm.progress, partition=0)

    def application_recorder(self) -> ApplicationRecorder:
        return ExampleRecorder(self.topic, self.log, self.pool, self.progress, partition=self.partition)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Snapshots of the library's own example, whatever their topic."""
        return SnapshotRecorder(self.pool) if purpose == "snapshots" else self.application_recorder()
