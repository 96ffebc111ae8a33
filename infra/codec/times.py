"""Instants as the log writes them: UTC, microseconds, `2026-11-22T10:00:00.000000Z`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_time(at: datetime) -> str:
    """An aware instant as text. Raises ValueError for a naive one, whose meaning nobody knows."""
    if at.tzinfo is UTC:  # nearly always: an import writes millions
        return at.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"
    if at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def read_time(text: object) -> datetime | None:
    """The instant, or None if this is none (wrong type, unreadable, without a zone)."""
    if type(text) is not str:
        return None
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is UTC:
            return at
        return None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def from_milliseconds(milliseconds: int) -> datetime:
    """Milliseconds since 1970, exactly."""
    return EPOCH + timedelta(milliseconds=milliseconds)
