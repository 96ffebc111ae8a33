"""Futures of appended records."""

from __future__ import annotations

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

from infra.log.contract import LogUnreachable, Position


class Handed(Future[Position]):
    """A record that was handed over. Nobody can cancel it: what was handed over cannot be called back."""

    def cancel(self) -> bool:
        """Refuse."""
        return False

    def settle(self, position: Position) -> None:
        """The record is durable at `position`."""
        with suppress(InvalidStateError):  # given up at close, and the answer came after all
            self.set_result(position)

    def give_up(self, why: str) -> None:
        """The record's fate is open, and nobody will hear of it here. `why` is a sentence."""
        with suppress(InvalidStateError):
            self.set_exception(LogUnreachable(why))
