"""What an import counts and remarks. `read = recorded + known + rejected`, always."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

REPEATED = "repeated an earlier one of these files word for word: counted as known"
AHEAD = "lay ahead of now: recorded as of now, keeping the time that was said"
SKIPPED_HOUR = "fell into an hour that the clocks skipped: read as if they had not been put forward"
REPEATED_HOUR = "fell into an hour that the clocks showed twice: read as the first time"


@dataclass
class CustomerCounts:
    """Customers met in the file, each once: met = recorded + known + rejected."""

    met: int = 0
    recorded: int = 0
    known: int = 0
    rejected: int = 0


@dataclass
class Counts:
    """`rows` were read and not passed over; `read` is what would be events."""

    rows: int = 0
    skipped: int = 0
    read: int = 0
    recorded: int = 0
    known: int = 0
    rejected: int = 0
    customers: CustomerCounts = field(default_factory=CustomerCounts)
    remarks: Counter[str] = field(default_factory=Counter)
    """About events: how many, and the rest of the sentence."""
    skips: Counter[str] = field(default_factory=Counter)
    """Rows passed over, by reason."""
    customers_differ: int = 0

    def notices(self) -> list[str]:
        """One sentence each, the same for the same file."""
        about = [f"{_many(count, 'event')} {remark}." for remark, count in sorted(self.remarks.items())]
        about += [f"{_many(count, 'row')} passed over: {reason}." for reason, count in sorted(self.skips.items())]
        if self.customers_differ:
            about.append(f"{_many(self.customers_differ, 'customer')} differed from row to row: the first row counts.")
        return about

    def as_json(self) -> dict[str, Any]:
        """The names of the contract first."""
        names = ("read", "recorded", "known", "rejected", "rows", "skipped")
        return {**{name: getattr(self, name) for name in names}, "customers": asdict(self.customers), "notices": self.notices()}


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
