"""The command handler: there is one, for every aggregate. Load, decide, append, wait; lock, retry and waiting live here."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.application import AggregateNotFoundError
from eventsourcing.persistence import IntegrityError, MapperDeserialisationError

from domain.decider import Decider
from domain.ids import commit_id
from infra.codec.events import type_of
from infra.codec.stored import encode, write_json
from infra.eventstore.application import WriteSide
from infra.eventstore.commit import CommitContext
from infra.eventstore.locks import KeyLocks
from infra.eventstore.numbered import Loaded, Numbered, StateSnapshot, StreamId
from infra.eventstore.recorder import PLACES, OutcomeOpen
from infra.eventstore.snapshots import EVERY_EVENTS, snapshot_topic
from infra.log.contract import Position, Topic
from infra.postgres.connection import Pool

ATTEMPTS = 3
NEVER = datetime.min.replace(tzinfo=UTC)
"""When a stream without events was last written: before anything that may be recorded belatedly."""


class VersionMoved(Exception):
    """`If-Match` no longer holds: the stream is at another version."""

    def __init__(self, version: int) -> None:
        super().__init__(f"Somebody was here before you: this is at version {version} now. Look at it again, then decide.")
        self.version = version


class OtherRequest(Exception):
    """The same Idempotency-Key came with another command before."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another command before; take a new one.")


class StreamUnreadable(Exception):
    """The stream holds an event that this version cannot read or fold, so nothing can be decided about it; the message says which."""

    def __init__(self, decider: str, why: str) -> None:
        super().__init__(f"This {decider} cannot be changed now: {why}; look at `crm parked`.")


@dataclass(frozen=True)
class Outcome:
    """Where a command's commit stands. `position` is None if nothing was new; `open`: it may still be accepted or refused."""

    commit: UUID
    key: UUID
    stream: UUID
    version: int
    position: Position | None = None
    attempt: int = 1
    open: bool = False
    repeated: bool = False
    events: tuple[Any, ...] = ()
    occurred_at: datetime | None = None
    lifted_from: datetime | None = None
    """The time that was given, where the stream had already moved past it (or it was ahead of now)."""


@dataclass(frozen=True)
class Request:
    """One command on its way, the same for every attempt."""

    decider: Decider[Any, Any, Any]
    command: Any
    key: UUID
    stream: UUID
    actor: str
    commit: UUID
    digest: str
    if_match: int | None
    at: datetime | None
    causation_id: str | None
    correlation_id: str | None
    traceparent: str | None

    @property
    def topic(self) -> Topic:
        return Topic(self.decider.log)


class Handler:
    """Runs commands. Thread-safe; holds no database connection while waiting."""

    def __init__(
        self,
        write_sides: Mapping[Topic, WriteSide],
        pool: Pool,
        secret: bytes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.write_sides, self.pool, self.clock = write_sides, pool, clock
        self._secret = sha256(b"annals request digest" + secret).digest()
        self._locks = KeyLocks()

    def handle(
        self,
        decider: Decider[Any, Any, Any],
        command: Any,
        *,
        key: UUID,
        actor: str,
        stream: UUID | None = None,
        idempotency_key: str | None = None,
        if_match: int | None = None,
        at: datetime | None = None,
        causation_id: str | None = None,
        correlation_id: str | None = None,
        traceparent: str | None = None,
    ) -> Outcome:
        """Run one command; say where its commit stands in the log, or that its outcome is open.

        `stream` is the key itself where none is given. `at`: when it happened (now, where none is given).
        Raises DomainError (refused by a rule), IntegrityError (another writer was first), VersionMoved (`if_match` no longer
        holds), OtherRequest, StreamUnreadable, LogUnreachable (nothing was handed over), RecordTooLarge.
        """
        commit = uuid4() if idempotency_key is None else commit_id(actor, idempotency_key)
        stream = stream or key
        request = Request(
            decider, command, key, stream, actor, commit, self._digest(decider, command, key, stream), if_match, at,
            causation_id, correlation_id, traceparent,
        )  # fmt: skip
        with self._locks.queue_for(key):
            return self._run(request, repeatable=idempotency_key is not None)

    def _run(self, request: Request, *, repeatable: bool) -> Outcome:
        attempt = 1
        if repeatable:
            earlier = self._find(request)
            if earlier is not None:
                return earlier
            attempt += self._refused_attempts(request)
        for last in [False] * (ATTEMPTS - 1) + [True]:
            try:
                return self._attempt(request, attempt)
            except IntegrityError:
                earlier = self._find(request)  # an attempt of which we had no answer may be the one that won
                if earlier is not None:
                    return earlier
                if last or request.if_match is not None:
                    raise
                attempt += 1
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, request: Request, attempt: int) -> Outcome:
        states, reads = self._load(request)
        own = states[request.stream]
        if request.if_match is not None and own.version != request.if_match:
            raise VersionMoved(own.version)
        state = own.state if request.decider.walk is None else {stream: loaded.state for stream, loaded in states.items()}
        events = request.decider.decide(state, request.command)
        if not events:
            return Outcome(request.commit, request.key, request.stream, own.version)
        now = self.clock()
        occurred_at = max(own.occurred_at, min(request.at or now, now))
        said_at = request.at if request.at is not None and request.at != occurred_at else None
        numbered = [Numbered(own.id, own.version + number, event, occurred_at, said_at) for number, event in enumerate(events, start=1)]
        context = CommitContext(
            request.actor, now, request.commit, attempt, request.digest, reads,
            request.correlation_id, request.causation_id, request.traceparent,
        )  # fmt: skip
        done = Outcome(
            request.commit, request.key, request.stream, own.version + len(events), None, attempt,
            events=tuple(events), occurred_at=occurred_at, lifted_from=said_at,
        )  # fmt: skip
        try:
            recordings = self.write_sides[request.topic].save(*numbered, commit=context)
        except OutcomeOpen as still:
            return replace(done, position=still.position, open=True)
        self._maybe_snapshot(request, own, numbered)
        return replace(done, position=self._position(request, recordings[0].notification.id))

    def _load(self, request: Request) -> tuple[dict[UUID, Loaded], Mapping[UUID, int]]:
        """The states that the decision needs, and the versions of those it reads but does not write."""
        states = {request.stream: self.load(request.decider, (request.key, request.stream))}
        if request.decider.walk is not None:
            walk = request.decider.walk(request.command)
            try:
                stream = next(walk)
                while True:
                    if stream not in states:
                        states[stream] = self.load(request.decider, (request.key, stream))
                    stream = walk.send(states[stream].state)
            except StopIteration:
                pass
        return states, {stream: loaded.version for stream, loaded in states.items() if stream != request.stream}

    def load(self, decider: Decider[Any, Any, Any], stream_id: StreamId) -> Loaded:
        """The stream's state through the library's Repository; INITIAL at version 0 for a new one. Raises StreamUnreadable."""
        initial = Loaded(stream_id, 0, decider.initial, NEVER)

        def project(loaded: Loaded | None, events: Iterable[Numbered | StateSnapshot]) -> Loaded | None:
            for event in events:
                if isinstance(event, StateSnapshot):
                    loaded = Loaded(stream_id, event.originator_version, event.state, event.occurred_at)
                else:
                    loaded = _evolved(decider, loaded or initial, event)
            return loaded

        try:
            return self.write_sides[Topic(decider.log)].repository.get(stream_id, projector_func=project)
        except AggregateNotFoundError:
            return initial
        except MapperDeserialisationError as why:
            raise StreamUnreadable(decider.name, str(why)) from why

    def _maybe_snapshot(self, request: Request, own: Loaded, numbered: list[Numbered]) -> None:
        after = numbered[-1].originator_version
        if after // EVERY_EVENTS == own.version // EVERY_EVENTS:
            return
        loaded = own
        for event in numbered:
            loaded = _evolved(request.decider, loaded, event)
        with suppress(IntegrityError):  # another writer took the same one
            self.write_sides[request.topic].snapshot(loaded, snapshot_topic(request.decider))

    def _find(self, request: Request) -> Outcome | None:
        """The answer to this command computed from its stored commit, if one was accepted. Raises OtherRequest.

        Among the decisions the id is sought under every key: the same Idempotency-Key for another customer is another request.
        """
        with self.pool.transaction() as cursor:
            cursor.execute(
                """SELECT request, attempt, partition, log_offset, stream, version, occurred_at, said_at FROM index.event
                   WHERE topic = %s AND commit_id = %s AND (key = %s OR %s)
                   ORDER BY request IS DISTINCT FROM %s, place DESC LIMIT 1""",
                (request.topic.letter, request.commit, request.key, request.topic is Topic.DECISIONS, request.digest),
            )
            row = cursor.fetchone()
        if row is None:
            return None
        digest, attempt, partition, offset, stream, version, occurred_at, said_at = row
        if digest is not None and not hmac.compare_digest(digest.encode(), request.digest.encode()):
            raise OtherRequest
        position = Position(request.topic, partition, offset)
        return Outcome(
            request.commit, request.key, stream, version, position, attempt or 1,
            repeated=True, occurred_at=occurred_at, lifted_from=said_at,
        )  # fmt: skip

    def _refused_attempts(self, request: Request) -> int:
        with self.pool.transaction() as cursor:
            cursor.execute("SELECT coalesce(max(attempt), 0) FROM index.refused WHERE commit_id = %s", (request.commit,))
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    def _position(self, request: Request, notification_id: int) -> Position:
        partition = self.write_sides[request.topic].partition_of(request.key)
        return Position(request.topic, partition, (notification_id - 1) // PLACES)

    def _digest(self, decider: Decider[Any, Any, Any], command: Any, key: UUID, stream: UUID) -> str:
        body = [decider.name, type(command).__name__, str(key), str(stream), encode(command)]
        return hmac.new(self._secret, write_json(body, sort=True), sha256).hexdigest()


def _evolved(decider: Decider[Any, Any, Any], loaded: Loaded, numbered: Numbered) -> Loaded:
    try:
        state = decider.evolve(loaded.state, numbered.event)
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError, ArithmeticError):
        # Another writer's, of a type or with data that the fold was not made for. What it says about that may be personal.
        name = type_of(numbered.event).name
        raise StreamUnreadable(decider.name, f"version {numbered.originator_version}, {name}, cannot be folded") from None
    return Loaded(loaded.id, numbered.originator_version, state, max(loaded.occurred_at, numbered.occurred_at))
