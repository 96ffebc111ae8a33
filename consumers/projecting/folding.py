"""Folds entries into one projection's tables within the caller's transaction, and sets aside what cannot be read or folded."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from pathlib import PurePath
from uuid import UUID

import psycopg2

from consumers.projecting.events import Entry
from consumers.projecting.parking import park, parked_keys, partition_of, position_of
from infra.postgres.connection import Cursor
from projections.batch import Batch, Projection, Recorded
from projections.tables import Tables

logger = logging.getLogger(__name__)

NOT_THE_EVENTS = (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.errors.UndefinedTable, MemoryError)
"""No event is at fault, so nothing is parked: the database is away, or somebody has dropped the tables."""
LIMIT_EXCEEDED = "54"
"""Class of SQLSTATE that psycopg2 takes for an outage, though it is the row that is too large for its index."""


class Folding:
    """One batch on its way into the tables."""

    def __init__(self, cursor: Cursor, projection: Projection, schema: str) -> None:
        self.cursor, self.projection, self.schema = cursor, projection, schema

    def fold(self, entries: Sequence[Entry]) -> None:
        """Fold what is not parked; park what cannot be read or folded, and with it what follows of its key."""
        events = self._set_aside(entries)
        if events and self._refusal(events) is not None:
            self._fold_by_key(events)

    def _set_aside(self, entries: Sequence[Entry]) -> list[Recorded]:
        """Those before the first event of their key that is parked or cannot be read."""
        keys = {entry.key for entry in entries}
        aside = parked_keys(self.cursor, self.schema, self.projection.name, keys) if keys else {}
        events = []
        for entry in entries:
            place = (partition_of(entry), entry.key)
            if place in aside and position_of(entry) >= aside[place]:
                continue
            if isinstance(entry, Recorded):
                events.append(entry)
            else:
                aside[place] = position_of(entry)
                self._park(entry, entry.reason)
        return events

    def _fold_by_key(self, events: Sequence[Recorded]) -> None:
        """Something in this batch cannot be folded: find the key, and set it aside from that event on."""
        by_key: dict[tuple[str, UUID], list[Recorded]] = {}
        for recorded in events:
            by_key.setdefault((partition_of(recorded), recorded.key), []).append(recorded)
        for following in by_key.values():
            if self._refusal(following) is None:
                continue
            for recorded in following:
                reason = self._refusal([recorded])
                if reason is not None:
                    self._park(recorded, reason)
                    break

    def _refusal(self, events: Sequence[Recorded]) -> str | None:
        """Fold these within a savepoint; why that fails, and then nothing has changed."""
        self.cursor.execute("SAVEPOINT fold")
        try:
            self.projection.fold(Batch(events), Tables(self.cursor, self.schema, self.projection.tables))
        except Exception as error:
            if _is_outage(error) or self.cursor.connection.closed:
                raise
            self.cursor.execute("ROLLBACK TO SAVEPOINT fold; RELEASE SAVEPOINT fold")
            return _reason(error)
        self.cursor.execute("RELEASE SAVEPOINT fold")
        return None

    def _park(self, entry: Entry, reason: str) -> None:
        logger.error("%s parked a key at %s:%s (%s)", self.projection.name, partition_of(entry), entry.log_offset, entry.type)
        park(self.cursor, self.schema, self.projection.name, entry, reason)


def _is_outage(error: Exception) -> bool:
    if isinstance(error, psycopg2.Error) and (error.pgcode or "").startswith(LIMIT_EXCEEDED):
        return False
    return isinstance(error, NOT_THE_EVENTS)


def _reason(error: Exception) -> str:
    """What went wrong and where. Not the message: it may quote a number or a name."""
    frames = traceback.extract_tb(error.__traceback__)
    where = frames[-1] if frames else None
    return f"the fold raised {type(error).__name__}" + (f" ({PurePath(where.filename).name}, line {where.lineno})" if where else "")
