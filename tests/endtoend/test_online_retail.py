"""A year of a real shop, on both logs: every number that the file itself gives, counted here without our importer."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from domain.external_id import ExternalId
from tests.endtoend.conftest import Make

pytestmark = pytest.mark.data

MAPPING = Path(__file__).parents[2] / "examples" / "mappings" / "online_retail.toml"
LARGEST = "14646"
"""The customer with the highest value."""


@dataclass
class Counted:
    """What a direct reading of the file counts."""

    invoices: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    customer_of: dict[str, str] = field(default_factory=dict)
    times: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def of(self, customer: str) -> dict[str, Decimal]:
        return {number: total for number, total in self.invoices.items() if self.customer_of[number] == customer}


@pytest.fixture(scope="module")
def retail() -> Path:
    path = Path(__file__).parents[3] / "shared" / "data" / "purchases_online_retail" / "online_retail.csv.gz"
    if not path.exists():
        pytest.skip("the real data sets are not there; put them into shared/data beside the checkout")
    return path


@pytest.fixture(scope="module")
def counted(retail: Path) -> Counted:
    counted = Counted()
    with gzip.open(retail, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            number = row["InvoiceNo"]
            counted.invoices[number] += Decimal(row["Quantity"]) * Decimal(row["UnitPrice"])
            counted.customer_of[number] = counted.customer_of.get(number) or row["CustomerID"].removesuffix(".0")
            counted.times[number].add(row["InvoiceDate"])
    return counted


@pytest.mark.parametrize("log", ["embedded", "kafka"])
def test_a_year_of_a_real_shop(make: Make, log: str, retail: Path, counted: Counted) -> None:
    one = make(log)
    with one.server():
        first = one.imports(retail, "--mapping", MAPPING, seconds=1500)
        assert (first["read"], first["recorded"], first["known"], first["rejected"]) == (25_900, 25_900, 0, 0)
        assert first["read"] == len(counted.invoices)
        assert first["customers"]["met"] == first["customers"]["recorded"] == 4_372
        several = sum(len(times) > 1 for times in counted.times.values())
        assert several == 43
        assert any(notice.startswith("43 events ") for notice in first["notices"]), first["notices"]

        again = one.imports(retail, "--mapping", MAPPING, seconds=1500)
        assert (again["read"], again["recorded"], again["known"]) == (25_900, 0, 25_900)

        one.project()
        kinds = dict(one.ask("SELECT kind, count(*) FROM read.ledger_entry GROUP BY kind"))
        assert kinds == {"order": 22_061, "return": 3_836, "adjustment": 3}
        assert one.total() == sum(counted.invoices.values()) == Decimal("9747747.934")
        assert one.ask("SELECT count(DISTINCT currency), min(currency) FROM read.ledger_entry") == [(1, "GBP")]
        assert one.ask("SELECT count(*) FROM read.ledger_entry WHERE customer IS NULL") == [(3_710,)]
        assert one.ask("SELECT count(*) FROM read.customer") == [(4_372,)]

        largest, invoices = ExternalId("online-retail", LARGEST).customer, counted.of(LARGEST)
        assert sum(invoices.values()) == Decimal("279489.02")
        ((value, entries),) = one.ask("SELECT value, entries FROM read.ledger_total WHERE customer = %s", str(largest))
        assert (value, entries) == (Decimal("279489.02"), len(invoices))
        rows = one.ask(
            "SELECT subject, CASE kind WHEN 'return' THEN -total ELSE total END FROM read.ledger_entry WHERE customer = %s", str(largest)
        )
        assert dict(rows) == invoices
        one.crm("verify", seconds=900)
