"""The second half of an import: events to facts, facts and customers to the sink, rejected rows to their file, all of it counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic

from consumers.importing.counts import AHEAD, REPEATED, Counts
from consumers.importing.customers import Customers
from consumers.importing.errors import RefusedError, RowError
from consumers.importing.identities import Identities
from consumers.importing.mapping.model import Mapping as ImportMapping
from consumers.importing.rejected import RejectedFile
from consumers.importing.scratch import Scratch
from consumers.importing.sink import CheckedCustomer, CheckedFact, Outcome, Refused, Sink
from consumers.importing.staging import MOST_ROWS, StagedRow, Unit
from consumers.importing.translate import Spoiled, Translated, Translator
from domain.decider import DomainError

MOST_AT_ONCE = 2_000
"""Facts or customers handed to the sink in one call."""

MOST_ROWS_AT_ONCE = 20_000
"""Rows kept until their facts are recorded."""

NOT_CAPTURED = "the customer is not captured: "


@dataclass(frozen=True)
class Settings:
    """What holds for a whole run. `files` are the files' names by number."""

    batch: str
    dry_run: bool
    now: datetime
    files: Sequence[str]


@dataclass
class _Pending(Generic[CheckedFact, CheckedCustomer]):
    """What the sink gets next, with the rows that it came from."""

    facts: list[CheckedFact] = field(default_factory=list)
    fact_rows: list[list[StagedRow]] = field(default_factory=list)
    customers: list[CheckedCustomer] = field(default_factory=list)
    customer_rows: list[list[StagedRow]] = field(default_factory=list)
    rows: int = 0


class Recording(Generic[CheckedFact, CheckedCustomer]):
    """Takes units one by one; hands over in batches. `finish` once, at the end."""

    def __init__(
        self,
        mapping: ImportMapping,
        sink: Sink[CheckedFact, CheckedCustomer],
        scratch: Scratch,
        rejected: RejectedFile,
        counts: Counts,
        settings: Settings,
    ) -> None:
        self._mapping = mapping
        self._sink = sink
        self._rejected = rejected
        self._counts = counts
        self._settings = settings
        self._translator = Translator(mapping)
        self._identities = Identities(scratch)
        rule = mapping.customer
        self._customers = Customers(scratch, mapping.source, rule, rule.capture) if rule and rule.capture else None
        self._pending: _Pending[CheckedFact, CheckedCustomer] = _Pending()

    @property
    def is_due(self) -> bool:
        """Whether enough is pending for a call of the sink."""
        pending = self._pending
        return max(len(pending.facts), len(pending.customers)) >= MOST_AT_ONCE or pending.rows >= MOST_ROWS_AT_ONCE

    def take(self, unit: Unit) -> None:
        """Translate and check one unit."""
        if unit.too_many:
            self._reject_piece(unit)
        elif not self._mapping.events:
            self._take_customer_row(unit.rows[0])
        else:
            self._take_events(unit.rows)

    def _reject_piece(self, unit: Unit) -> None:
        if unit.first:
            self._counts.read += 1
            self._counts.rejected += 1
        reason = f"the event has more than {MOST_ROWS:,} rows; is it grouped by the right column?"
        self._rejected.add(unit.rows, dict.fromkeys(range(len(unit.rows)), reason))

    def _reject(self, rows: list[StagedRow], reasons: Mapping[int, str]) -> None:
        self._counts.rejected += 1
        self._rejected.add(rows, reasons)

    def _take_events(self, rows: list[StagedRow]) -> None:
        met_at: datetime | None = None
        for found in self._translator.events(rows):
            self._counts.read += 1
            if isinstance(found, Spoiled):
                self._reject(rows, found.reasons)
            elif self._take_fact(found, rows):
                met_at = met_at or min(found.fact.time, self._settings.now)
        if met_at is not None and self._customers is not None:
            for place in self._translator.witnesses(rows, range(len(rows))):
                self._meet(self._customers, rows[place], met_at)

    def _take_fact(self, translated: Translated, rows: list[StagedRow]) -> bool:
        """Whether the fact is good. A repeat is good, and known."""
        fact = translated.fact
        try:
            checked = self._sink.check(fact)
            is_new = self._identities.is_new(fact, self._rejected.place(rows[0], rows[0].file))
        except (DomainError, RowError) as error:
            self._reject(rows, {0: str(error)})
            return False
        self._counts.remarks.update(translated.remarks)
        if fact.time > self._settings.now:
            self._counts.remarks[AHEAD] += 1
        if not is_new:
            self._counts.remarks[REPEATED] += 1
            self._counts.known += 1
        elif self._settings.dry_run:
            self._counts.recorded += 1
        else:
            self._pending.facts.append(checked)
            self._pending.fact_rows.append(rows)
            self._pending.rows += len(rows)
        return True

    def _take_customer_row(self, row: StagedRow) -> None:
        """A mapping without events: every customer counts as what would be an event, for capturing one is."""
        reason = row.flaw or self._without_external_id(row)
        if reason is not None:
            self._counts.read += 1
            self._reject([row], {0: reason})
        elif self._customers is not None:
            self._meet(self._customers, row, None)

    def _without_external_id(self, row: StagedRow) -> str | None:
        value = self._mapping.customer.external_id if self._mapping.customer else None
        try:
            found = value.read(row.slots) if value else None
        except RowError as error:
            return str(error)
        return "the external id is empty" if found is None else None

    def _meet(self, customers: Customers, row: StagedRow, met_at: datetime | None) -> None:
        count = self._counts.customers
        try:
            draft = customers.meet(row, self._settings.files[row.file], met_at)
        except RowError as error:
            count.met += 1
            self._reject_customer(row, str(error))
            return
        if draft is None:
            return
        count.met += 1
        try:
            checked = self._sink.check_customer(draft)
        except DomainError as error:
            self._reject_customer(row, str(error))
            return
        if self._settings.dry_run:
            count.recorded += 1
            return
        self._pending.customers.append(checked)
        self._pending.customer_rows.append([row])
        self._pending.rows += 1

    def _reject_customer(self, row: StagedRow, reason: str) -> None:
        self._counts.customers.rejected += 1
        self._rejected.add([row], {0: NOT_CAPTURED + reason})

    def flush(self) -> None:
        """Hand what is pending to the sink: customers first, for the facts refer to them."""
        pending, self._pending = self._pending, _Pending()
        batch, counts, customers = self._settings.batch, self._counts, self._counts.customers
        for part in _parts(len(pending.customers)):
            outcomes = self._sink.capture(pending.customers[part], batch)
            refused = self._refused(outcomes, pending.customer_rows[part], NOT_CAPTURED)
            customers.recorded += outcomes.count("recorded")
            customers.known += outcomes.count("known")
            customers.rejected += refused
        for part in _parts(len(pending.facts)):
            outcomes = self._sink.record(pending.facts[part], batch)
            refused = self._refused(outcomes, pending.fact_rows[part], "")
            counts.recorded += outcomes.count("recorded")
            counts.known += outcomes.count("known")
            counts.rejected += refused

    def _refused(self, outcomes: Sequence[Outcome], rows: Sequence[list[StagedRow]], before: str) -> int:
        """How many were refused; their rows go to the rejected file."""
        if len(outcomes) != len(rows):
            raise RefusedError(f"{len(rows)} were handed over and {len(outcomes)} answered; this is a fault of the program, report it.")
        refused = 0
        for outcome, its_rows in zip(outcomes, rows, strict=True):
            if isinstance(outcome, Refused):
                refused += 1
                self._rejected.add(its_rows, {0: before + outcome.reason})
        return refused

    def finish(self) -> None:
        """Hand over the rest, wait for the index, and set the counts right."""
        self.flush()
        counts, customers = self._counts, self._counts.customers
        if not self._settings.dry_run:
            corrections = self._sink.finish()
            counts.recorded -= corrections.facts_known
            counts.known += corrections.facts_known
            customers.recorded -= corrections.customers_known
            customers.known += corrections.customers_known
        if self._customers is not None:
            counts.customers_differ = self._customers.differ
        if not self._mapping.events:
            counts.read += customers.met
            counts.recorded, counts.known = customers.recorded, customers.known
            counts.rejected += customers.rejected


def _parts(count: int) -> list[slice]:
    return [slice(start, start + MOST_AT_ONCE) for start in range(0, count, MOST_AT_ONCE)]
