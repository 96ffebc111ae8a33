"""Language tags as in BCP 47 (`ro`, `pt-BR`, `zh-Hant-TW`): their shape, not the registry of what exists."""

from __future__ import annotations

import re

from domain.value import InvalidValue

LONGEST = 35
"""Characters; what BCP 47 section 4.4.1 asks of anything that stores tags."""

_tag = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*").fullmatch


def require_language(tag: str | None) -> None:
    """A language is optional, but has the shape of a tag. Raises InvalidValue."""
    if tag is not None and (len(tag) > LONGEST or not _tag(tag)):
        raise InvalidValue("The language is no language tag; give one such as ro or pt-BR.")


def language_tag(tag: str) -> str:
    """The tag in BCP 47's usual case (section 2.1.1): language small, script with a capital, region in capitals."""
    first, *others = tag.split("-")
    return "-".join([first.lower(), *(_subtag(part) for part in others)])


def _subtag(part: str) -> str:
    if part.isalpha() and len(part) == 4:
        return part.title()
    return part.upper() if part.isalpha() and len(part) == 2 else part.lower()
