"""The library's Application and factory over our recorders."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    Mapper,
    NotSupportedError,
    ProcessRecorder,
    TrackingRecorder,
    Transcoder,
)
from eventsourcing.utils import Environment, EnvType

from infra.eventstore.mapper import EventMapper
from infra.eventstore.numbered import Loaded, StateSnapshot
from infra.eventstore.recorder import LogRecorder
from infra.eventstore.snapshots import state_classes
from infra.eventstore.tables import CheckpointRecorder, SnapshotRecorder
from infra.keys.keyring import Keyring
from infra.log.contract import Log, Topic
from infra.log.partition import partition_of
from infra.postgres.connection import Pool
from infra.progress import Progress


class Factory(InfrastructureFactory[TrackingRecorder]):
    """Hands the library our recorders of one topic. Bound to one partition, the application's sequence is that partition's."""

    def __init__(
        self,
        env: Environment | EnvType | None,
        topic: Topic,
        log: Log,
        pool: Pool,
        progress: Progress,
        *,
        partition: int | None = None,
    ) -> None:
        super().__init__(env)
        self.topic, self.log, self.pool, self.progress, self.partition = topic, log, pool, progress, partition

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Snapshots of the folds of today; or the events themselves."""
        return SnapshotRecorder(self.pool, list(state_classes())) if purpose == "snapshots" else self.application_recorder()

    def application_recorder(self) -> ApplicationRecorder:
        return LogRecorder(self.topic, self.log, self.pool, self.progress, partition=self.partition)

    def tracking_recorder(self, tracking_recorder_class: type[Any] | None = None) -> Any:
        """The checkpoints of the projection named by the environment's name."""
        return (tracking_recorder_class or CheckpointRecorder)(self.pool, self.env.name)

    def process_recorder(self) -> ProcessRecorder:
        """There is none: its tracking and its events would stand in two systems, and need two-phase commits."""
        raise NotSupportedError("Events stand in the log and tracking in PostgreSQL: there is no recorder that writes both atomically.")


class WriteSide(Application[Any]):
    """The library's Application over one topic: `repository.get` loads a stream, `save` appends a commit."""

    name = "crm"
    is_snapshotting_enabled = True

    def __init__(self, topic: Topic, log: Log, pool: Pool, progress: Progress, keyring: Keyring) -> None:
        self._parts = (topic, log, pool, progress)
        self._keyring = keyring
        super().__init__()

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Nothing from the process's environment: settings come from `infra/settings.py` alone."""
        return Environment(name, {"IS_SNAPSHOTTING_ENABLED": "y", **(env or {})})

    def construct_factory(self, env: Environment) -> Factory:
        return Factory(env, *self._parts)

    def construct_mapper(self) -> Mapper[Any]:
        return EventMapper(self._keyring)

    def construct_transcoder(self) -> Transcoder:
        return self.mapper.transcoder

    def partition_of(self, key: UUID) -> int:
        """The partition that the commits of this key go to."""
        topic, log, *_ = self._parts
        return partition_of(str(key).encode(), log.partitions(topic))

    def snapshot(self, loaded: Loaded, topic: str) -> None:
        """Keep a state, so that the stream need not be folded from its beginning. One that is there already is as good."""
        if self.snapshots is not None:
            self.snapshots.put([StateSnapshot(loaded.id, loaded.version, topic, loaded.state, loaded.occurred_at)])
