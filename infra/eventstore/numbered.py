"""Our domain events as the library handles them: numbered within a stream, whose id is the pair (key, stream)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

StreamId = tuple[UUID, UUID]
"""(key, stream). A bare UUID, as in the library's own suites, means key = stream."""


@dataclass(frozen=True)
class Numbered:
    """One domain event with its place in a stream. `said_at` is what was said, where `occurred_at` had to be moved."""

    originator_id: StreamId
    originator_version: int
    event: Any
    occurred_at: datetime
    said_at: datetime | None = None


@dataclass(frozen=True)
class Loaded:
    """A stream's state, folded. What the library calls an aggregate."""

    id: StreamId
    version: int
    state: Any
    occurred_at: datetime
    """When the last event occurred; in a stream of decisions it never decreases."""


@dataclass(frozen=True)
class StateSnapshot:
    """A state at a version, so that a long stream need not be folded from its beginning."""

    originator_id: StreamId
    originator_version: int
    topic: str
    state: Any
    occurred_at: datetime


def split(originator_id: StreamId | UUID) -> StreamId:
    """(key, stream)."""
    return originator_id if isinstance(originator_id, tuple) else (originator_id, originator_id)
