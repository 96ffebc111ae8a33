"""Histories as a log may hold them: writers that race, records that come twice, zombies that come late, reads, commits of many streams.

And the acceptance rule a second time, written from its sentence in the design and as plainly as can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import orjson

from infra.codec.envelope import Envelope, read_envelope
from infra.log.contract import Outgoing

Commit = dict[str, Any]
"""An envelope as JSON values."""


def verdicts(log: list[Commit], *, decisions: bool) -> list[bool]:
    """Whether each commit is accepted, every time from the whole past: no memory to go wrong."""
    accepted: list[Commit] = []
    found: list[bool] = []
    for commit in log:
        past = [(c["key"], event["stream"]) for c in accepted for event in c["events"]]
        again = decisions and any(c["id"] == commit["id"] and c["key"] == commit["key"] for c in accepted)
        unchanged = all(past.count((commit["key"], stream)) == version for stream, version in commit["reads"].items())
        mine = [(commit["key"], event["stream"]) for event in commit["events"]]
        in_turn = all(
            event["version"] == past.count(mine[place]) + mine[: place + 1].count(mine[place])
            for place, event in enumerate(commit["events"])
        )
        found.append(not again and unchanged and in_turn)
        if found[-1]:
            accepted.append(commit)
    return found


@dataclass
class Writers:
    """Makes up a history, one commit after the other. What they believe need not be true: it is checked by nobody here."""

    random: Random
    decisions: bool
    keys: int = 3
    streams: int = 3

    def history(self, length: int) -> list[Commit]:
        log: list[Commit] = []
        views: list[dict[tuple[str, str], int]] = [{}]
        """What a writer saw who looked when the log was so long."""
        for number in range(length):
            commit = self._next(log, views, number)
            log.append(commit)
            views.append(_after(commit, views[-1]))
        return log

    def _next(self, log: list[Commit], views: list[dict[tuple[str, str], int]], number: int) -> Commit:
        kind = self.random.randrange(10)
        if log and kind == 0:  # a producer's retry, or a zombie
            return log[-1 - self.random.randrange(min(len(log), 8))]
        if log and kind == 1:  # the next attempt of an earlier command
            earlier = self.random.choice(log)
            return self._commit(earlier["key"], earlier["id"], views[-1], earlier["attempt"] + 1)
        late = min(len(views) - 1, self.random.choice([0, 0, 0, 0, 1, 3]))
        key = str(uuid5(NAMESPACE_OID, f"key {self.random.randrange(self.keys)}"))
        return self._commit(key, str(uuid5(NAMESPACE_OID, f"commit {number}")), views[-1 - late], 1)

    def _commit(self, key: str, commit: str, view: dict[tuple[str, str], int], attempt: int) -> Commit:
        written = [self._stream() for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
        events = []
        versions: dict[str, int] = {}
        for stream in written:
            versions[stream] = max(1, versions.get(stream, view.get((key, stream), 0)) + self.random.choice([1] * 15 + [0, 2]))
            events.append({"stream": stream, "version": versions[stream], "type": "x.y", "data": {"n": self.random.randrange(9)}})
        read = [self._stream() for _ in range(self.random.choice([0, 0, 0, 1, 2]))]
        reads = {stream: view.get((key, stream), 0) + self.random.choice([0] * 9 + [1]) for stream in read}
        return {"format": 1, "id": commit, "attempt": attempt, "key": key, "reads": reads, "events": events}

    def _stream(self) -> str:
        return str(uuid5(NAMESPACE_OID, f"stream {self.random.randrange(self.streams)}"))


def _after(commit: Commit, view: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """What a writer believes who saw this commit; ids are none of its business."""
    after = dict(view)
    for event in commit["events"]:
        place = (commit["key"], event["stream"])
        if event["version"] != after.get(place, 0) + 1:
            return view
        after[place] = event["version"]
    read = all(view.get((commit["key"], stream), 0) == version for stream, version in commit["reads"].items())
    return after if read else view


def envelope_of(commit: Commit) -> Envelope:
    """The commit as the rule gets it."""
    return read_envelope(orjson.dumps(commit), commit["key"].encode())


def outgoing(commit: Commit) -> Outgoing:
    """The commit as a record."""
    return Outgoing(commit["key"].encode(), orjson.dumps(commit))


def key_of(commit: Commit) -> UUID:
    return UUID(commit["key"])
