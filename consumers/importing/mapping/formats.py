"""Date formats: the % letters of strptime, compiled to one regular expression each. Independent of locale, digits are ASCII."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from consumers.importing.errors import RowError

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_MONTH_NAMES = "january|february|march|april|may|june|july|august|september|october|november|december"
_OFFSET = r"(?P<z>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
_SHORT = {"m", "d", "H", "I", "M", "S"}
"""One or two digits; exactly two where another number stands directly beside them."""

_PATTERNS = {
    "Y": "(?P<Y>[0-9]{4})",
    "y": "(?P<y>[0-9]{2})",
    "b": "(?P<b>" + "|".join(MONTHS) + r")\.?",
    "B": f"(?P<B>{_MONTH_NAMES})",
    "p": r"(?P<p>[ap]\.?m\.?)",
    "f": "(?P<f>[0-9]{1,9})",
    "z": _OFFSET,
    "a": r"[^\W\d_]+\.?",
    "A": r"[^\W\d_]+",
    "%": "%",
}
_TOKEN = re.compile(r"%(.?)|\s+|[^%\s]", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_UNIX = 10**16

Reader = Callable[[str], datetime | None]
"""From a text to a datetime: naive where the text has no offset; None where it is not written so. Raises RowError: no such day."""


def compile_format(pattern: str) -> tuple[Reader, bool]:
    """A reader for `%d/%m/%Y %H:%M`, `iso`, `unix` or `unix_ms`, and whether the text may lack an offset.

    Raises ValueError with the rest of a sentence.
    """
    if pattern == "iso":
        return _read_iso, True
    if pattern in {"unix", "unix_ms"}:
        return _unix_reader(1_000 if pattern == "unix_ms" else 1), False
    letters = [found[1] for found in _TOKEN.finditer(pattern) if found[0].startswith("%")]
    _require_whole(pattern, letters)
    matches = re.compile(
        _expression(pattern), re.IGNORECASE | re.ASCII if "a" not in letters and "A" not in letters else re.IGNORECASE
    ).fullmatch

    def read(text: str) -> datetime | None:
        found = matches(text)
        return None if found is None else _from_parts({name: part for name, part in found.groupdict().items() if part is not None})

    return read, "z" not in letters


def _require_whole(pattern: str, letters: list[str]) -> None:
    known = {*_PATTERNS, *_SHORT}
    for letter in letters:
        if letter not in known:
            raise ValueError(f"%{letter} in {pattern!r} is not known; the letters are %{', %'.join(sorted(known - {'%'}, key=str.lower))}")
    counted = [letter for letter in letters if letter not in {"%", "a", "A"}]
    if len(set(counted)) != len(counted):
        raise ValueError(f"{pattern!r} has the same letter twice")
    for what, choices in (("year (%Y or %y)", "Yy"), ("month (%m, %b or %B)", "mbB"), ("day (%d)", "d")):
        if sum(letter in choices for letter in counted) != 1:
            raise ValueError(f"{pattern!r} must have one {what}")
    if "H" in counted and "I" in counted:
        raise ValueError(f"{pattern!r} has both %H and %I; an hour is written once")
    if ("I" in counted) != ("p" in counted):
        raise ValueError(f"{pattern!r} must have %I and %p together")


def _expression(pattern: str) -> str:
    tokens = [found[0] for found in _TOKEN.finditer(pattern)]
    parts = []
    for place, token in enumerate(tokens):
        if token.isspace():
            parts.append(r"\s+")
        elif not token.startswith("%"):
            parts.append(re.escape(token))
        elif token[1] in _SHORT:
            beside = tokens[max(0, place - 1) : place] + tokens[place + 1 : place + 2]
            exact = any(other[0] == "%" and (other[1] in _SHORT or other[1] in "Yyf") for other in beside)
            parts.append(f"(?P<{token[1]}>[0-9]{'{2}' if exact else '{1,2}'})")
        else:
            parts.append(_PATTERNS[token[1]])
    return "".join(parts)


def _from_parts(part: dict[str, str]) -> datetime:
    hour = int(part.get("H", 0))
    if "I" in part:
        hour = int(part["I"]) % 12 + (12 if part["p"].lower().startswith("p") else 0)
        if not 1 <= int(part["I"]) <= 12:
            raise RowError(f"is no time: with AM and PM the hour is 1 to 12, not {part['I']}")
    minute, second = int(part.get("M", 0)), int(part.get("S", 0))
    midnight_at_the_end = hour == 24 and minute == second == 0
    try:
        moment = datetime(
            _year(part),
            int(part["m"]) if "m" in part else MONTHS.index((part.get("b") or part["B"])[:3].lower()) + 1,
            int(part["d"]),
            0 if midnight_at_the_end else hour,
            minute,
            second,
            int(part.get("f", "0").ljust(6, "0")[:6]),
            tzinfo=_offset(part["z"]) if "z" in part else None,
        )
        return moment + timedelta(days=1) if midnight_at_the_end else moment
    except (ValueError, OverflowError) as error:
        raise RowError(f"is no time that exists ({error})") from None


def _year(part: dict[str, str]) -> int:
    """Two digits as POSIX reads them: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068."""
    if "Y" in part:
        return int(part["Y"])
    short = int(part["y"])
    return short + (1900 if short >= 69 else 2000)


def _offset(text: str) -> timezone:
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _read_iso(text: str) -> datetime | None:
    if not text.isascii():
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def _unix_reader(per_second: int) -> Reader:
    matches = re.compile(r"(-?[0-9]{1,17})(?:\.([0-9]{1,9}))?").fullmatch
    unit = 1_000_000 // per_second

    def read(text: str) -> datetime | None:
        found = matches(text)
        if found is None or abs(int(found[1])) > _LARGEST_UNIX:
            return None
        fraction = int((found[2] or "0").ljust(9, "0")) * unit // 10**9
        try:
            return _EPOCH + timedelta(microseconds=int(found[1]) * unit + (-fraction if text.startswith("-") else fraction))
        except OverflowError:
            raise RowError("is no time that a calendar of four-digit years has") from None

    return read
