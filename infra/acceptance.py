"""The acceptance rule of format 1 (design, section 2). It never changes: a new rule is a new format.

A commit is accepted if, when its record is reached in the partition's order, each stream in `reads` is at the version given
(before the commit), each event, in order, has exactly the next version of its stream, and, in the decisions, no commit of this
id was accepted under this key before. Otherwise it is refused as a whole and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.codec.envelope import Envelope

StreamId = tuple[str, str]
"""(key, stream): a stream lives under one key for ever."""


@dataclass
class Standing:
    """What the rule must know of the past of one partition. A stream that is not in `versions` is at version 0."""

    versions: dict[StreamId, int] = field(default_factory=dict)
    commits: set[tuple[str, str]] = field(default_factory=set)
    """(key, commit id) of accepted commits; only asked in the decisions."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The streams that the commit moves, each with its new version."""

    versions: dict[StreamId, int]


@dataclass(frozen=True, slots=True)
class Refused:
    """Changes nothing. The reason is for people; no program may depend on it."""

    reason: str


def judge(commit: Envelope, standing: Standing, *, decisions: bool) -> Accepted | Refused:
    """Apply the rule to one commit. Pure: the standing is only read."""
    if decisions and (commit.key, commit.id) in standing.commits:
        return Refused("a commit of this id was accepted before")
    for stream, version in commit.reads.items():
        if standing.versions.get((commit.key, stream), 0) != version:
            return Refused("a stream that was read has moved on")
    moved: dict[StreamId, int] = {}
    for event in commit.events:
        stream_id = (commit.key, event["stream"])
        expected = moved.get(stream_id, standing.versions.get(stream_id, 0)) + 1
        if event["version"] != expected:
            return Refused(f"version {event['version']} came where {expected} was next")
        moved[stream_id] = expected
    return Accepted(moved)
