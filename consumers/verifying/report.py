"""What a verification comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

NAMED = 20
"""So many differing rows are named in each table."""
Told = Callable[[str, int, int], None]
"""(what is going on, how far, of how many)"""


@dataclass(frozen=True, slots=True)
class PartitionCheck:
    """One partition of the log, read again."""

    partition: str
    next_offset: int
    digest: str
    ok: bool


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One table of a read model, folded again."""

    projection: str
    table: str
    digest: str
    """Of all columns."""
    content: str
    """Without log times, positions and random ids: the same wherever the same events are recorded."""
    ok: bool


@dataclass
class Report:
    """What was found; `findings` are sentences, none if all is right."""

    partitions: list[PartitionCheck] = field(default_factory=list)
    tables: list[TableCheck] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
