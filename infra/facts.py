"""Recording facts: no lock, no wait. Appended in bulk; the acceptance rule refuses what is there already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.decider import DomainError
from domain.fact import UNMATCHED, Match, MatchHow, Report
from domain.ids import customer_id
from domain.inbound import InboundFact
from domain.inbound_types import INBOUND_BY_NAME
from infra.codec.events import has_personal, owner_of, personal_fields_of, type_of
from infra.codec.outside import parse
from infra.eventstore.commit import CommitContext, new_traceparent, write_commit
from infra.eventstore.mapper import EventMapper
from infra.eventstore.numbered import Numbered
from infra.log.contract import Log, LogUnreachable, Outgoing, Position, Topic

PORTION = 500
"""Facts handed over at once."""
APPEND_SECONDS = 150.0
"""Longer than the producer's own limit: after that a record's fate is known to be open."""


NewFact = tuple[UUID, UUID, int, Any, datetime]
"""(key, stream, version, event, time)"""


class UnknownFactType(DomainError):
    """A type of fact that the contract does not have."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact ready to be recorded: its event and when it happened."""

    event: Any
    """Carries `report` and `match`."""
    time: datetime

    @property
    def report(self) -> Report:
        return self.event.report  # type: ignore[no-any-return]

    def in_batch(self, batch: str | None) -> Any:
        """The event, as one of this batch. What is in it has been checked, and need not be again."""
        return _with(self.event, report=_with(self.report, batch=batch))

    def matched(self, match: Match) -> Fact:
        """The same fact, matched so."""
        return Fact(_with(self.event, match=match), self.time)


def _durable(future: Future[Position]) -> Position:
    try:
        return future.result(APPEND_SECONDS)
    except TimeoutError as error:
        raise LogUnreachable("The log has not confirmed what was sent; it may still arrive.") from error


def _with(frozen: Any, **changes: Any) -> Any:
    """A frozen dataclass with other fields, unchecked: half a million lines need not be validated twice."""
    made = object.__new__(type(frozen))
    made.__dict__.update(frozen.__dict__, **changes)
    return made


def read_fact(inbound: InboundFact, region: str) -> Fact:
    """Give an inbound fact its type, and the match that needs no look-up. Raises DomainError with a sentence."""
    inbound_type = INBOUND_BY_NAME.get(inbound.type)
    if inbound_type is None:
        raise UnknownFactType(f"There is no fact of type {inbound.type!r}; there are {', '.join(INBOUND_BY_NAME)}.")
    event = inbound_type.to_fact(parse(inbound_type.data, inbound.data), inbound.report(), region)
    return Fact(_with(event, match=_match(event)), inbound.time)


def _match(event: Any) -> Match:
    """By our id, or by the source's own: the customer's id follows from it."""
    reference = event.customer
    if reference is not None and reference.id is not None:
        return Match(reference.id, MatchHow.ID)
    if reference is not None and reference.external_id is not None:
        return Match(customer_id(event.report.source, reference.external_id), MatchHow.EXTERNAL_ID)
    return UNMATCHED


class FactRecorder:
    """One run of recording. The commit ids of a run begin alike, so that its refused commits can be counted afterwards."""

    def __init__(self, log: Log, mapper: EventMapper, actor: str) -> None:
        self.log, self.mapper, self.actor = log, mapper, actor
        self._prefix = os.urandom(6)
        self._traceparent = new_traceparent()
        self.last: dict[int, Position] = {}
        """The last position of ours in each partition of the facts."""

    @property
    def first_commit(self) -> UUID:
        """The smallest commit id that this run can have."""
        return UUID(bytes=self._prefix + bytes(10))

    @property
    def last_commit(self) -> UUID:
        """The largest."""
        return UUID(bytes=self._prefix + b"\xff" * 10)

    def append(self, facts: Sequence[NewFact]) -> list[Position | int]:
        """Append one commit a fact, given as (key, stream, version, event, time), and wait until all are durable.

        A record that is too large is not sent: in its place stands its size in bytes. What is still reported about an interaction
        that was erased is recorded without its personal fields. Raises LogUnreachable (some may have been recorded: the same facts
        again are known); OwnerErased if it was erased just now.
        """
        erased, now = self._erased(facts), datetime.now(UTC)
        pending: list[Future[Position] | int] = []
        for first in range(0, len(facts), PORTION):  # one portion is on its way to the disk while the next is encoded
            records = [self._fitting(fact, erased, now) for fact in facts[first : first + PORTION]]
            futures = iter(self.log.append(Topic.FACTS, [record for record in records if isinstance(record, Outgoing)], bulk=True))
            pending += [next(futures) if isinstance(record, Outgoing) else record for record in records]
        answers = [one if isinstance(one, int) else _durable(one) for one in pending]
        for answer in answers:
            if isinstance(answer, Position):
                self.last[answer.partition] = max(answer, self.last.get(answer.partition, answer))
        return answers

    def _erased(self, facts: Sequence[NewFact]) -> set[UUID]:
        """The owners who were erased. For the others a key is made where there is none: one durable append for all of them."""
        personal = {owner_of(type_of(event), key, stream) for key, stream, _, event, _ in facts if has_personal(event)}
        return personal - set(self.mapper.keyring.for_owners(personal)) if personal else set()

    def _fitting(self, fact: NewFact, erased: set[UUID], now: datetime) -> Outgoing | int:
        """The record, or its size if it is too large for the log."""
        key, stream, version, event, time = fact
        if erased and owner_of(type_of(event), key, stream) in erased:
            event = _with(event, **{field.name: field.missing for field in personal_fields_of(type(event))})
        record = self._record(Numbered((key, stream), version, event, min(time, now), None if time <= now else time), now)
        size = len(record.value) + len(record.key) + 200
        return record if size <= self.log.max_record_bytes else size

    def _record(self, numbered: Numbered, now: datetime) -> Outgoing:
        identifier = UUID(bytes=self._prefix + os.urandom(10))
        context = CommitContext(self.actor, now, identifier, traceparent=self._traceparent)
        return write_commit([self.mapper.to_stored_event(numbered)], context)
