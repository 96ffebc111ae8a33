"""What the tests of the importer share: a sink in memory, and one call that imports a few rows."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consumers.importing.command import add_arguments, run
from consumers.importing.drafts import CustomerDraft
from consumers.importing.sink import Corrections, Outcome
from domain.decider import DomainError
from domain.inbound import InboundFact
from domain.inbound_types import INBOUND_BY_NAME

RECORDABLE = tuple(INBOUND_BY_NAME)


class NotAcceptedError(DomainError):
    """The memory sink was told to refuse this."""


@dataclass
class MemorySink:
    """Records into dictionaries; a second run meets what the first one recorded."""

    facts: dict[tuple[str, str], InboundFact] = field(default_factory=dict)
    customers: dict[str, CustomerDraft] = field(default_factory=dict)
    batches: list[str] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    refuse: Callable[[InboundFact], str | None] = lambda _fact: None
    refuse_customer: Callable[[CustomerDraft], str | None] = lambda _draft: None
    outcome: Callable[[InboundFact], Outcome] = lambda _fact: "recorded"
    corrections: Corrections = field(default_factory=Corrections)
    checked: int = 0
    dry_runs: list[bool] = field(default_factory=list)

    def check(self, fact: InboundFact, /) -> InboundFact:
        self.checked += 1
        reason = self.refuse(fact)
        if reason:
            raise NotAcceptedError(reason)
        return fact

    def check_customer(self, draft: CustomerDraft, /) -> CustomerDraft:
        reason = self.refuse_customer(draft)
        if reason:
            raise NotAcceptedError(reason)
        return draft

    def capture(self, customers: Sequence[CustomerDraft], _batch: str, /) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        for draft in customers:
            outcomes.append("known" if draft.external_id in self.customers else "recorded")
            self.customers.setdefault(draft.external_id, draft)
        return outcomes

    def record(self, facts: Sequence[InboundFact], batch: str, /) -> Sequence[Outcome]:
        self.batches.append(batch)
        self.calls.append(len(facts))
        outcomes: list[Outcome] = []
        for fact in facts:
            outcome = "known" if (fact.subject, fact.id) in self.facts else self.outcome(fact)
            outcomes.append(outcome)
            if outcome == "recorded":
                self.facts[fact.subject, fact.id] = fact
        return outcomes

    def finish(self) -> Corrections:
        return self.corrections

    @contextmanager
    def opened(self, dry_run: bool) -> Iterator[MemorySink]:
        self.dry_runs.append(dry_run)
        yield self

    @property
    def all(self) -> list[InboundFact]:
        return list(self.facts.values())


@dataclass
class Imported:
    """What one run of the command did. `said` is its JSON; `rejected` the rows of the rejected file, without its header."""

    code: int
    said: dict[str, Any]
    error: str
    sink: MemorySink
    rejected: list[dict[str, str]]

    @property
    def facts(self) -> list[InboundFact]:
        return self.sink.all

    @property
    def data(self) -> list[dict[str, Any]]:
        return [fact.data for fact in self.facts]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """read, recorded, known, rejected; and they add up."""
        read, *parts = (int(self.said[name]) for name in ("read", "recorded", "known", "rejected"))
        assert read == sum(parts)
        return (read, parts[0], parts[1], parts[2])

    @property
    def reasons(self) -> dict[int, str]:
        """Line to reason."""
        return {int(row["line"]): row["reason"] for row in self.rejected}


def call(
    folder: Path,
    paths: Sequence[Path],
    mapping: Path,
    *options: str,
    sink: MemorySink | None = None,
    recordable: Collection[str] = RECORDABLE,
) -> Imported:
    """Run the command as the command line would, with `--json`, and read what it wrote."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args([*map(str, paths), "--mapping", str(mapping), "--json", *options])
    sink = sink or MemorySink()
    out, err = io.StringIO(), io.StringIO()
    code = run(args, sink.opened, recordable=recordable, out=out, err=err, folder=folder)
    said = json.loads(out.getvalue().splitlines()[-1]) if out.getvalue() else {}
    rejected = []
    if said.get("rejected_file"):
        with Path(said["rejected_file"]).open(encoding="utf-8", newline="") as file:
            rejected = list(csv.DictReader(file))
    errors = [line for line in err.getvalue().splitlines() if not line.startswith(("reading ", "recording: ", "checking: "))]
    return Imported(code, said, "\n".join(errors), sink, rejected)


def imported(
    folder: Path,
    mapping: str,
    rows: str | bytes,
    *options: str,
    name: str = "rows.csv",
    sink: MemorySink | None = None,
    recordable: Collection[str] = RECORDABLE,
) -> Imported:
    """Write the mapping and one file into the folder, and import it."""
    path, map_path = folder / name, folder / "map.toml"
    path.write_bytes(rows.encode() if isinstance(rows, str) else rows)
    map_path.write_text(mapping, "utf-8")
    return call(folder, [path], map_path, *options, sink=sink, recordable=recordable)


SIMPLE = """
source = "shop"
[file]
zone = "Europe/Bucharest"
[[event]]
type = "purchase.made"
subject = { column = "order" }
time = { column = "at" }
currency = { value = "RON" }
data.total = { column = "total" }
"""
"""One row, one purchase; columns order, at, total."""


def one_value(folder: Path, value: str, cells: dict[str, str], *, file: str = "") -> Any:
    """What a text value becomes for one row with these cells; the reason, as an exception, where the row is rejected."""
    mapping = f"""
source = "shop"
[file]
zone = "UTC"
{file}
[[event]]
type = "purchase.made"
subject = {{ value = "1" }}
time = {{ value = "2020-01-01", format = "iso" }}
data.reason = {value}
"""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*cells, "filler"])
    writer.writeheader()
    writer.writerow({**cells, "filler": "x"})
    result = imported(folder, mapping, text.getvalue())
    assert result.code == 0, result.error
    if result.rejected:
        raise ValueError(result.rejected[0]["reason"])
    return result.data[0].get("reason")
