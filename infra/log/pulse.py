"""Whether the log is there, asked only when it has been silent: while commands flow, their own answers say so for nothing."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic

from infra.log.contract import LogError

FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 2.0


class Pulse:
    """When one partition's leader (or the embedded log) last answered. Thread-safe."""

    def __init__(self, ask: Callable[[float], None]) -> None:
        """`ask` gets the seconds it may take; it returns if there was an answer, and raises LogUnreachable if not."""
        self._ask = ask
        self._asking = Lock()
        self._answered_at = float("-inf")
        self._failure: tuple[float, LogError] = (float("-inf"), LogError())

    def answered(self) -> None:
        """Note an answer that came without asking, such as an acknowledgement."""
        self._answered_at = monotonic()

    def confirm(self) -> None:
        """Return if there was an answer within the last second or is one now; raise LogUnreachable within two seconds if not.

        Who comes while another asks shares that answer, or its absence: a hundred waiting commands fail together, not in turn.
        """
        came_at = monotonic()
        if came_at - self._answered_at <= FRESH_SECONDS:
            return
        with self._asking:
            if came_at - self._answered_at <= FRESH_SECONDS:
                return
            failed_at, failure = self._failure
            if failed_at >= came_at:
                raise type(failure)(*failure.args)
            try:
                self._ask(PATIENCE_SECONDS)
            except LogError as error:
                self._failure = monotonic(), error
                raise
            self.answered()
