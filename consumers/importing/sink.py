"""Where an import ends: the side that records. The importer knows the log through this contract alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from consumers.importing.drafts import CustomerDraft
from domain.inbound import InboundFact

CheckedFact = TypeVar("CheckedFact")
CheckedCustomer = TypeVar("CheckedCustomer")


@dataclass(frozen=True)
class Refused:
    """This one was refused although its check passed (too large for the log, say); the reason is a sentence."""

    reason: str


Outcome = Literal["recorded", "known"] | Refused
"""What became of one: accepted now; there before; refused."""


@dataclass(frozen=True)
class Corrections:
    """How many that were answered `recorded` proved to be known when the index had caught up."""

    facts_known: int = 0
    customers_known: int = 0


class Sink(Protocol[CheckedFact, CheckedCustomer]):
    """Checks and records. What `check` answers is handed back to `record`, so that nothing is parsed twice.

    Identities are derived, so recording the same again is safe: it answers `known`. LogError and the like may be
    raised anywhere but by the checks; they end the import, and the same command goes on later.
    """

    def check(self, fact: InboundFact, /) -> CheckedFact:
        """The fact as it would be recorded. No side effects, no look-ups: a dry run calls it too. Raises DomainError."""
        ...

    def check_customer(self, draft: CustomerDraft, /) -> CheckedCustomer:
        """The customer as it would be captured. No side effects, no look-ups. Raises DomainError."""
        ...

    def capture(self, customers: Sequence[CheckedCustomer], batch: str, /) -> Sequence[Outcome]:
        """Capture these customers, at most 2,000, all with different external ids; one outcome each, in order.

        Durable when it returns. Facts that refer to them are recorded after it.
        """
        ...

    def record(self, facts: Sequence[CheckedFact], batch: str, /) -> Sequence[Outcome]:
        """Record these facts, at most 2,000, all with different identities in one run; one outcome each, in order.

        Durable when it returns; `recorded` may yet be corrected by `finish`.
        """
        ...

    def finish(self) -> Corrections:
        """Wait until everything handed over is indexed. Called once, at the end of a run that was not a dry run."""
        ...
