"""One commit is one record, under one key; one lock a key while somebody wants it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from uuid import UUID, uuid4

import orjson
import pytest
from eventsourcing.persistence import StoredEvent

from infra.codec.envelope import read_envelope
from infra.eventstore.commit import CommitContext, new_traceparent, write_commit
from infra.eventstore.locks import KeyLocks

KEY, STREAM, COMMIT = UUID(int=1), UUID(int=2), UUID(int=3)
AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
STATE = b'{"schema":1,"occurred_at":"2026-11-22T10:00:00Z","data":{"language":"ro"}}'
EVENTS = [StoredEvent((KEY, KEY), 4, "x.one", STATE), StoredEvent((KEY, STREAM), 1, 'x."two"', STATE)]  # type: ignore[arg-type]


def test_a_commit_is_an_envelope_that_every_reader_accepts() -> None:
    context = CommitContext("user:7", AT, COMMIT, 2, "abc", {STREAM: 0}, "corr", "cause")
    record = write_commit(EVENTS, context)
    read = read_envelope(record.value, record.key)
    assert (read.id, read.key, read.reads) == (str(COMMIT), str(KEY), {str(STREAM): 0})
    assert read.events == [
        {"stream": str(KEY), "version": 4, "type": "x.one", **orjson.loads(STATE)},
        {"stream": str(STREAM), "version": 1, "type": 'x."two"', **orjson.loads(STATE)},
    ]
    rest = {name: read.rest[name] for name in ("attempt", "request", "actor", "recorded_at", "correlation_id", "causation_id")}
    assert list(rest.values()) == [2, "abc", "user:7", "2026-11-22T10:00:00.000000Z", "corr", "cause"]


def test_what_was_not_given_is_not_written_and_the_commit_correlates_with_itself() -> None:
    body = orjson.loads(write_commit(EVENTS, CommitContext("user:7", AT, COMMIT)).value)
    assert "request" not in body
    assert "causation_id" not in body
    assert body["correlation_id"] == str(COMMIT)


def test_a_commit_has_one_key() -> None:
    with pytest.raises(ValueError, match="share one key"):
        write_commit([*EVENTS, StoredEvent(uuid4(), 1, "x", STATE)], CommitContext("user:7", AT))


def test_a_trace_context_is_new_each_time_and_of_the_standards_shape() -> None:
    found = {new_traceparent() for _ in range(3)}
    assert len(found) == 3
    assert all([len(part) for part in one.split("-")] == [2, 32, 16, 2] for one in found)


def test_who_wants_the_same_key_waits_and_who_wants_another_does_not() -> None:
    locks, inside, most = KeyLocks(), [0], [0]

    def work() -> None:
        with locks.queue_for(KEY):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            threading.Event().wait(0.01)
            inside[0] -= 1

    with locks.queue_for(STREAM):
        threads = [threading.Thread(target=work) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in threads)
    assert most == [1]
    assert locks._locks == {}, "a lock that nobody wants is not kept"


def test_a_lock_is_given_back_when_the_work_failed() -> None:
    locks = KeyLocks()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), locks.queue_for(KEY):
            raise ZeroDivisionError
    assert locks._locks == {}
