"""The shipped mapping on the real file: 541,909 rows, exactly these events, exactly this money."""

from __future__ import annotations

import resource
import sys
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from consumers.importing.sink import Outcome
from domain.inbound import InboundFact
from tests.consumers.importing.outcome import MemorySink, call

MAPPING = Path(__file__).parents[3] / "examples" / "mappings" / "online_retail.toml"
MOST_MEGABYTES = 220
"""More than a run takes beyond what the interpreter had; the file unpacked, as Python objects, would take several times as much."""


class Ledger(MemorySink):
    """Adds up instead of keeping."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: Counter[tuple[str, str | None]] = Counter()
        self.without_customer = 0
        self.total = Decimal(0)
        self.of_customer: dict[str, Decimal] = {}
        self.currencies: set[str] = set()
        self.negative_returns = 0
        self.lines = 0
        self.subjects: set[str] = set()

    def record(self, facts: Sequence[InboundFact], _batch: str, /) -> Sequence[Outcome]:
        for fact in facts:
            self._add(fact)
        return ["recorded"] * len(facts)

    def _add(self, fact: InboundFact) -> None:
        lines = fact.data["lines"]
        value = sum((Decimal(line["quantity"]) * Decimal(line["unit_price"]["amount"]) for line in lines), Decimal(0))
        if fact.type == "purchase.returned":
            self.negative_returns += any(Decimal(line["quantity"]) < 0 for line in lines)
            value = -value
        who = fact.data.get("customer", {}).get("external_id")
        self.kinds[fact.type, fact.data.get("reason")] += 1
        self.without_customer += who is None
        self.total += value
        self.of_customer[who] = self.of_customer.get(who, Decimal(0)) + value
        self.currencies |= {line["unit_price"]["currency"] for line in lines}
        self.lines += len(lines)
        self.subjects.add(fact.subject)


@pytest.mark.data
def test_every_invoice_of_the_online_shop_comes_in_once_and_the_money_is_exact(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "purchases_online_retail" / "online_retail.csv.gz"
    sink = Ledger()
    before = _peak_megabytes()
    result = call(tmp_path, [file], MAPPING, sink=sink)
    assert _peak_megabytes() - before < MOST_MEGABYTES
    assert result.counts == (25_900, 25_900, 0, 0)
    assert (result.said["rows"], sink.lines, len(sink.subjects)) == (541_909, 541_909, 25_900)
    assert sink.kinds == {("purchase.made", None): 22_061, ("purchase.returned", None): 3_836, ("purchase.made", "adjustment"): 3}
    assert sink.total == Decimal("9747747.934")
    assert sink.of_customer["14646"] == Decimal("279489.02")
    assert sink.without_customer == 3_710
    assert sink.currencies == {"GBP"}
    assert sink.negative_returns == 0
    assert result.said["customers"] == {"met": 4_372, "recorded": 4_372, "known": 0, "rejected": 0}
    assert result.said["notices"] == [
        "43 events had more than one time: the first counts.",
        "8 customers differed from row to row: the first row counts.",
    ]
    countries = Counter(draft.addresses[0].country if draft.addresses else None for draft in sink.customers.values())
    assert countries["GB"] == 3_950
    assert sink.customers["14646"].addresses[0].country == "NL"
    assert all(len(country) == 2 for country in countries if country)
    assert result.said["batch"] == "online_retail-a2b0b3d13a"


def _peak_megabytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)
