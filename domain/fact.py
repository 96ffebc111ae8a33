"""What every fact carries: what the outside world called it, and whom it was matched to when it was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.decider import personal
from domain.ids import fact_key, fact_stream
from domain.value import InvalidValue, require_line


def require_name(text: str, what: str) -> None:
    """What a source calls something: one line of at most 512 characters, compared exactly as written. Raises InvalidValue."""
    require_line(text, what, 512)


@dataclass(frozen=True)
class Report:
    """The names of one fact, for ever: `source` + `subject` + `id`. The subject is the call, order or message that it is about.

    `batch` is the import that brought it, if one did.
    """

    source: str
    subject: str
    id: str
    batch: str | None = None

    def __post_init__(self) -> None:
        require_name(self.source, "The source")
        require_name(self.subject, "The subject")
        require_name(self.id, "The id")
        if self.batch is not None:
            require_name(self.batch, "The batch")

    @property
    def key(self) -> UUID:
        """The key of the fact, and the id of the interaction that it is part of."""
        return fact_key(self.source, self.subject)

    @property
    def stream(self) -> UUID:
        """The stream of the fact, so that a redelivery meets itself."""
        return fact_stream(self.key, self.id)


@dataclass(frozen=True)
class CustomerReference:
    """Whom the source named by an id: one of ours, or one of its own. Never personal; numbers and addresses stand beside it."""

    id: UUID | None = None
    external_id: str | None = None

    def __post_init__(self) -> None:
        if self.external_id is not None:
            require_name(self.external_id, "The customer's external id")


class MatchHow(StrEnum):
    """Why we think that a fact is a certain customer's, the surest first."""

    ID = "id"
    EXTERNAL_ID = "external_id"
    CUSTOMER_NUMBER = "customer_number"
    TICKET = "ticket"
    DIRECT_LINE = "direct_line"
    EMAIL = "email"
    SHARED_LINE = "shared_line"
    MAYBE = "maybe"
    PENDING = "pending"
    NONE = "none"


@dataclass(frozen=True)
class Candidate:
    """Somebody else whom it could have been, and why."""

    customer: UUID
    how: MatchHow


@dataclass(frozen=True)
class Match:
    """Whom a fact was matched to when it was recorded, how, and the others that came into question, the likeliest first.

    Matched, never guessed: where several are equally likely, `customer` is None and all of them are candidates. PENDING: the
    matcher had not caught up, and attributes it later; NONE: nobody came into question.
    """

    customer: UUID | None = None
    how: MatchHow = MatchHow.NONE
    candidates: tuple[Candidate, ...] = ()

    def __post_init__(self) -> None:
        nobody = self.how in {MatchHow.PENDING, MatchHow.NONE}
        if nobody and (self.customer or self.candidates):
            raise InvalidValue(f"A match that is {self.how} names no customer and no candidates.")
        if not nobody and not (self.customer or self.candidates):
            raise InvalidValue(f"A match by {self.how} names a customer, or several candidates.")
        everybody = [*((self.customer,) if self.customer else ()), *(candidate.customer for candidate in self.candidates)]
        if len(everybody) != len(set(everybody)):
            raise InvalidValue("A match names every customer once.")


UNMATCHED = Match()
PENDING = Match(how=MatchHow.PENDING)


@dataclass(frozen=True)
class FactWithdrawn:
    """The fact of this stream is not so: it was reported by mistake, or with a batch that was undone. Its customers stay.

    A fact may be recorded anew over this, by an import alone.
    """

    batch: str | None = None  # the import that was undone
    reason: str | None = personal()
