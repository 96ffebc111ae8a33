"""From a text to a moment in UTC: formats in turn, the file's zone, and what a change of the clocks does to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from consumers.importing.errors import RowError, excerpt
from consumers.importing.mapping.formats import Reader

LONGEST_ROLL = timedelta(hours=12)
"""How far after its beginning a time may lie that was moved on by a day."""

Oddity = Literal["skipped", "repeated"]
"""The clocks never showed this time (they were put forward); they showed it twice (they were put back)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in UTC, and what was odd about its local time."""

    at: datetime
    oddity: Oddity | None = None

    @property
    def text(self) -> str:
        """RFC 3339, in UTC."""
        return self.at.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class TimeFormats:
    """How a time is written: readers tried in turn, and the zone of what has no offset (None: such a text is refused)."""

    written: tuple[str, ...]
    readers: Sequence[Reader]
    zone: ZoneInfo | None

    def local(self, text: str) -> datetime:
        """The time with its zone or offset. Raises RowError."""
        found = self._found(text)
        if found.tzinfo is not None:
            return found
        if self.zone is None:
            raise RowError(f"{excerpt(text)} has no offset, and the mapping states no zone")
        return found.replace(tzinfo=self.zone)

    def day(self, text: str) -> date:
        """The calendar day as written, whatever the zone. Raises RowError."""
        return self._found(text).date()

    def _found(self, text: str) -> datetime:
        reason = None
        for reader in self.readers:
            try:
                found = reader(text)
            except RowError as error:
                reason = reason or error
                continue
            if found is not None:
                return found
        raise RowError(f"{excerpt(text)} {reason or 'is no time written as ' + ' or '.join(self.written)}")


def to_moment(local: datetime) -> Moment:
    """In UTC. A repeated hour is read as its first pass; a skipped one with the offset from before the change.

    Raises RowError where UTC leaves the years 1 to 9999.
    """
    try:
        at = local.astimezone(UTC)
        if local.utcoffset() == local.replace(fold=1).utcoffset():
            return Moment(at)
        shown = at.astimezone(local.tzinfo).replace(tzinfo=None, fold=0) == local.replace(tzinfo=None)
    except (OverflowError, ValueError):
        raise RowError(f"{local.replace(tzinfo=None)} in UTC lies outside the years 1 to 9999") from None
    return Moment(at, "repeated" if shown else "skipped")


def not_before(local: datetime, start: Moment) -> Moment:
    """The time, moved on by a day where it would lie before its beginning: a clock past midnight beside the date of the start.

    Raises RowError if that makes it lie more than 12 hours after the beginning: then it is no midnight, it is a mistake.
    """
    moment = to_moment(local)
    if moment.at >= start.at:
        return moment
    try:
        moved = to_moment(local + timedelta(days=1))
    except OverflowError:
        raise RowError("lies before its beginning") from None
    if moved.at - start.at > LONGEST_ROLL:
        raise RowError(f"{local:%H:%M:%S} lies before its beginning, and not because of a midnight between them")
    return moved
