"""Whether two rows of one import claim to be the same fact: the same words are a repeat, other words are a mistake."""

from __future__ import annotations

import hashlib

import orjson

from consumers.importing.errors import RowError
from consumers.importing.scratch import Scratch
from domain.inbound import InboundFact


class Identities:
    """Every identity of this run, with a digest of what the fact says."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        scratch.execute("CREATE TABLE identity (fact BLOB PRIMARY KEY, says BLOB NOT NULL, place TEXT NOT NULL) WITHOUT ROWID")

    def is_new(self, fact: InboundFact, place: str) -> bool:
        """False if the same fact was met before, word for word. Raises RowError if it then said something else.

        place: where it is now, as a reason says it (`line 7`).
        """
        identity = _digest([fact.subject, fact.id])
        says = _digest([fact.type, fact.time, fact.data])
        if self._scratch.execute("INSERT OR IGNORE INTO identity VALUES (?, ?, ?)", (identity, says, place)) == 1:
            return True
        found = self._scratch.one("SELECT says, place FROM identity WHERE fact = ?", (identity,))
        if found is not None and found[0] != says:
            raise RowError(
                f"{found[1]} has the same subject and id, and says something else; "
                "group the rows of one event ([group]), or give each event an id of its own"
            )
        return False


def _digest(what: object) -> bytes:
    return hashlib.blake2b(orjson.dumps(what, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
