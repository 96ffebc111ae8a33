"""What every value object shares: the error that says why a value cannot be, and the checks of text.

No sentence here repeats the value itself, for it may be personal and the sentence may end in a log.
"""

from __future__ import annotations

import re

from domain.decider import DomainError

_not_on_a_line = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]").search
_not_in_text = re.compile("[\x00\ud800-\udfff]").search
"""NUL, which PostgreSQL's text cannot hold, and halves of surrogate pairs, which UTF-8 cannot."""


class InvalidValue(DomainError, ValueError):
    """A value that cannot be. The message is a sentence for a person that says what to do."""


def require_line(text: str, what: str, most: int) -> None:
    """Text on one line that says something, of at most `most` characters. Raises InvalidValue; `what` begins its sentence."""
    if not text.strip():
        raise InvalidValue(f"{what} is empty; give it, or leave it out.")
    _require_length(text, what, most)
    if _not_on_a_line(text):
        raise InvalidValue(f"{what} holds a control character or a line break; give it as text on one line.")


def require_text(text: str, what: str, most: int) -> None:
    """Free text, line breaks and all, that says something. Raises InvalidValue; `what` begins its sentence."""
    if not text.strip():
        raise InvalidValue(f"{what} is empty; give it, or leave it out.")
    _require_length(text, what, most)
    if _not_in_text(text):
        raise InvalidValue(f"{what} holds a NUL or half a surrogate pair, which no text can hold; remove it.")


def require_storable(text: str, what: str) -> None:
    """Any text that PostgreSQL and UTF-8 can hold, the empty one too. Raises InvalidValue."""
    if _not_in_text(text):
        raise InvalidValue(f"{what} holds a NUL or half a surrogate pair, which no text can hold; remove it.")


def require_reason(reason: str | None) -> None:
    """A reason is optional, but not empty."""
    if reason is not None:
        require_text(reason, "The reason", 2000)


def require_label(label: str | None) -> None:
    """A label ("office", "weekends") is optional, but not empty."""
    if label is not None:
        require_line(label, "The label", 100)


def tidy(text: str | None) -> str | None:
    """On one line with single blanks, None if nothing is left: how people's own writing is taken in."""
    return " ".join(text.split()) or None if text is not None else None


def _require_length(text: str, what: str, most: int) -> None:
    if len(text) > most:
        raise InvalidValue(f"{what} has {len(text):,} characters; give at most {most:,}.")
