"""Futures of appended records, which nobody can cancel: what was handed over cannot be called back."""

from __future__ import annotations

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

from infra.log.contract import LogUnreachable, Position


def pending() -> Future[Position]:
    """A future for a record that is being handed over."""
    future: Future[Position] = Future()
    future.set_running_or_notify_cancel()
    return future


def settle(future: Future[Position], position: Position) -> None:
    """The record is durable at `position`."""
    with suppress(InvalidStateError):  # given up at close, and the answer came after all
        future.set_result(position)


def give_up(future: Future[Position], why: str) -> None:
    """The record's fate is open, and nobody will hear of it here. `why` is a sentence."""
    with suppress(InvalidStateError):
        future.set_exception(LogUnreachable(why))
