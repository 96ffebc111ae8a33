"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sizes:
    """A round is ours and the bare path once each, in turn."""

    customers: int = 200
    rounds: int = 5
    alone: int = 80
    """Commands of one writer a round."""
    among: int = 25
    """Commands of each of eight writers a round."""
    fact_rounds: int = 3
    facts: int = 20_000
    """A round."""
    poured: int = 100_000
    """Facts that pour in beside the commands."""

    def scaled(self, by: float) -> Sizes:
        """Fewer facts, for a machine that has other work; the rates stay rates."""
        return replace(self, facts=max(300, round(self.facts * by)), poured=max(300, round(self.poured * by)))


FULL = Sizes()
QUICK = Sizes(customers=16, rounds=1, alone=8, among=2, fact_rounds=1, facts=300, poured=300)
