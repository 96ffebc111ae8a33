"""The suites that the `eventsourcing` library ships for those who bring their own recorders, run on ours (docs/decisions/0010)."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import TestCase
from uuid import uuid4

import eventsourcing.dcb.tests
import eventsourcing.tests.application
import eventsourcing.tests.persistence
import eventsourcing.tests.projection
import pytest
from eventsourcing.persistence import AggregateRecorder, ApplicationRecorder, IntegrityError, StoredEvent, TrackingRecorder
from eventsourcing.tests import application, persistence
from eventsourcing.utils import get_topic

from consumers.projecting.schema import create_read_models
from infra.eventstore.tables import CheckpointRecorder, SnapshotRecorder
from projections.registry import PROJECTIONS
from tests.infra.crm import D, Shop, running, settings_of
from tests.infra.eventstore.adapter import AdaptedFactory, AdaptedRecorder


class OnOnePartition:
    """A shop whose decisions have one partition, which is a whole application sequence of the library's."""

    kind = "embedded"
    shop: Shop

    @pytest.fixture(autouse=True)
    def _shop(self, dsn: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[None]:
        for shop in running(replace(settings_of(self.kind, dsn, tmp_path, request), decision_partitions=1)):
            self.shop = shop
            yield

    def create_recorder(self) -> Any:
        crm = self.shop.crm
        return AdaptedRecorder(D, crm.log, crm.pool, crm.progress, partition=0)


class TestSnapshotRecorder(OnOnePartition, persistence.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return SnapshotRecorder(self.shop.crm.pool)


class TestCheckpointRecorder(OnOnePartition, persistence.TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingRecorder:
        with self.shop.crm.pool.transaction() as cursor:
            create_read_models(cursor, self.shop.crm.log, PROJECTIONS)
        return CheckpointRecorder(self.shop.crm.pool, "upstreams")


class TestLogRecorder(OnOnePartition, persistence.ApplicationRecorderTestCase[ApplicationRecorder]):
    INITIAL_VERSION = 0
    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = False

    def test_insert_subscribe(self) -> None:
        """The library leaves it to each recorder to call this one."""
        self.optional_test_insert_subscribe()

    def test_insert_select(self) -> None:
        """Instead of the shipped one, which demands the ids 1, 2, 3. Ours are the record's offset and the event's place in it: they
        increase, and have gaps. Everything else that the shipped test asks is asked here, with the ids that were given."""
        recorder = self.create_recorder()
        assert recorder.select_notifications(start=None, limit=3) == []
        assert recorder.select_notifications(start=None, limit=3, topics=["topic1"]) == []
        assert recorder.max_notification_id() is None
        one, two = uuid4(), uuid4()
        events = [
            StoredEvent(one, 0, "topic1", b"state1"),
            StoredEvent(one, 1, "topic2", b"state2"),
            StoredEvent(two, 0, "topic3", b"state3"),
        ]
        first, second = recorder.insert_events(events[:2])
        (third,) = recorder.insert_events(events[2:])
        assert 1 <= first < second < third
        assert recorder.select_events(one) == events[:2]
        assert recorder.select_events(two) == events[2:]
        with pytest.raises(IntegrityError):
            recorder.insert_events(events[2:])
        assert recorder.max_notification_id() == third

        everything = recorder.select_notifications(start=None, limit=10)
        assert [(n.id, n.originator_id, n.originator_version, n.topic, n.state) for n in everything] == [
            (given, event.originator_id, event.originator_version, event.topic, event.state)
            for given, event in zip((first, second, third), events, strict=True)
        ]

        def ids(*arguments: Any, **options: Any) -> list[int]:
            return [notification.id for notification in recorder.select_notifications(*arguments, **options)]

        assert ids(first, 10) == [first, second, third]
        assert ids(None, 10, second) == [first, second]
        assert ids(first, 10, inclusive_of_start=False) == [second, third]
        assert ids(second, 10, inclusive_of_start=False) == [third]
        assert ids(third, 1, inclusive_of_start=False) == []
        assert ids(None, 10, topics=["topic1", "topic2", "topic3"]) == [first, second, third]
        assert [ids(first, 3, topics=[topic]) for topic in ("topic1", "topic2", "topic3")] == [[first], [second], [third]]
        assert ids(first, 3, topics=["topic1", "topic3"]) == [first, third]
        assert [ids(None, 1), ids(second, 1), ids(third, 1)] == [[first], [second], [third]]
        assert ids(first, 1, inclusive_of_start=False) == [second]
        assert ids(second, 2) == [second, third]
        assert ids(second, 10, second) == [second]
        assert ids(first, 10, second, inclusive_of_start=False) == [second]


@pytest.mark.kafka
class TestLogRecorderOnKafka(TestLogRecorder):
    kind = "kafka"


class TestNonInterleaving(OnOnePartition, persistence.NonInterleavingNotificationIDsBaseCase):
    INITIAL_VERSION = 0


@pytest.mark.kafka
class TestNonInterleavingOnKafka(TestNonInterleaving):
    kind = "kafka"


class TestExampleApplication(OnOnePartition, application.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(AdaptedFactory)

    @pytest.fixture(autouse=True)
    def _from_the_environment(self, _shop: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(AdaptedFactory, "shop", self.shop, raising=False)
        monkeypatch.setitem(os.environ, "PERSISTENCE_MODULE", self.expected_factory_topic)


@pytest.mark.kafka
class TestExampleApplicationOnKafka(TestExampleApplication):
    kind = "kafka"


RUN = {
    persistence.AggregateRecorderTestCase: TestSnapshotRecorder,
    persistence.TrackingRecorderTestCase: TestCheckpointRecorder,
    persistence.ApplicationRecorderTestCase: TestLogRecorder,
    persistence.NonInterleavingNotificationIDsBaseCase: TestNonInterleaving,
    application.ExampleApplicationTestCase: TestExampleApplication,
}
NOT_RUN = {
    "RecorderTestCase": "has no tests; the base of those that have",
    "ProcessRecorderTestCase": "events stand in the log and tracking in PostgreSQL: no recorder writes both atomically",
    "InfrastructureFactoryTestCase": "demands a process recorder, and ciphers and compressors from the process's environment",
    "TranscoderTestCase": "tests the library's own tagged JSON, which our events do not use",
    "ApplicationTestCase": "demands contiguous ids, commits of several aggregates (keys), and a cache of mutable aggregates",
    "EventCountersViewTestCase": "our read models are folded in batches, not by an event and a transaction each",
    "AggregateEventCountersProjectionTestCase": "the same: the library's ProjectionRunner is not used",
    "TaggedDecisionCountersProjectionTestCase": "the same, on top of dynamic consistency boundaries",
    "EventSourcedProjectionTestCase": "needs a process recorder",
    "DCBRecorderTestCase": "dynamic consistency boundaries need one order of all events; ours is one of a partition",
}


def shipped() -> dict[str, type]:
    """Every test case class that the library ships for recorders and applications, by name."""
    modules = (eventsourcing.tests.persistence, eventsourcing.tests.application, eventsourcing.tests.projection, eventsourcing.dcb.tests)
    return {
        name: cls for module in modules for name, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, TestCase) and cls.__module__ == module.__name__
    }  # fmt: skip


def test_every_shipped_suite_is_run_here_or_is_said_why_not() -> None:
    """A new version of the library with a new suite fails here."""
    assert {cls.__name__ for cls in RUN} | set(NOT_RUN) == set(shipped())
    assert not {cls.__name__ for cls in RUN} & set(NOT_RUN)


def test_what_is_run_is_run_unchanged_but_for_what_cannot_hold() -> None:
    overridden = {}
    for suite, ours in RUN.items():
        assert issubclass(ours, suite)
        tests = [name for name in vars(suite) if name.startswith("test")]
        assert tests
        changed = [name for name in tests if getattr(ours, name) is not getattr(suite, name)]
        overridden |= {f"{ours.__name__}.{name}": getattr(ours, name).__doc__ for name in changed}
    assert list(overridden) == ["TestLogRecorder.test_insert_select"]
    assert all(overridden.values())


def test_the_decision_says_the_same() -> None:
    text = (Path(__file__).parents[3] / "docs" / "decisions" / "0010-library-suites.md").read_text("utf-8")
    for name in shipped():
        assert f"`{name}`" in text, name
