"""From the rows of one event to facts. Pure: no file, no log, no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from consumers.importing.counts import REPEATED_HOUR, SKIPPED_HOUR
from consumers.importing.errors import RowError
from consumers.importing.mapping.customer import captured_values
from consumers.importing.mapping.model import EventRule, Mapping
from consumers.importing.mapping.times import Moment
from consumers.importing.mapping.values import Value
from consumers.importing.staging import StagedRow
from domain.decider import DomainError
from domain.inbound import InboundFact


@dataclass(frozen=True)
class Translated:
    """A fact, and what is to be remarked about it (the rest of sentences that begin with `N events`)."""

    fact: InboundFact
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Spoiled:
    """What would have been an event: the reasons by place in the unit's rows."""

    reasons: dict[int, str]


class _AtRowError(Exception):
    """A reason that belongs to one row of the unit."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


class Translator:
    """Compiles nothing and keeps nothing: one unit after the other."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._last = mapping.grouping is not None and mapping.grouping.differ == "last"
        self._strict = mapping.grouping is not None and mapping.grouping.differ == "reject"
        self._shared = _shared_cells(mapping)

    def events(self, rows: Sequence[StagedRow]) -> list[Translated | Spoiled]:
        """What the rows of one unit become. A flaw in any of them spoils the whole, as one event."""
        flaws = {place: row.flaw for place, row in enumerate(rows) if row.flaw is not None}
        if flaws:
            return [Spoiled(flaws)]
        try:
            ordered = self._ordered(rows)
            witnesses = self.witnesses(rows, ordered)
            rules, remarks = self._rules(rows, witnesses)
        except _AtRowError as error:
            return [Spoiled({error.place: error.reason})]
        return [self._event(rule, rows, ordered, witnesses, remarks) for rule in rules]

    def witnesses(self, rows: Sequence[StagedRow], ordered: Sequence[int]) -> list[int]:
        """The places of the rows that say something of their own about the event, in the order in which they count."""
        if len(rows) == 1:
            return [0]
        seen: dict[Any, int] = {}
        for place in reversed(ordered) if self._last else ordered:
            seen.setdefault(self._shared(rows[place].slots), place)
        return list(seen.values())

    def _ordered(self, rows: Sequence[StagedRow]) -> list[int]:
        """The places of the rows in the order that [group] asks for; the file's where it asks for none, or where two are alike."""
        order = self._mapping.grouping.order if self._mapping.grouping else None
        places = list(range(len(rows)))
        if order is None or len(rows) == 1:
            return places
        keys = []
        for place, row in enumerate(rows):
            key = _read(order, row, place)
            if key is None:
                raise _AtRowError(place, f"{order.place} is empty, so its place among the rows of the event is unknown")
            keys.append(key)
        return sorted(places, key=keys.__getitem__)

    def _rules(self, rows: Sequence[StagedRow], witnesses: list[int]) -> tuple[list[EventRule], tuple[str, ...]]:
        chosen = self._rules_of(rows[witnesses[0]], witnesses[0])
        remarks: tuple[str, ...] = ()
        for place in witnesses[1:]:
            if self._rules_of(rows[place], place) != chosen:
                if self._strict:
                    raise _AtRowError(place, "the rows of this event fit different [[event]] sections")
                remarks = (f"had rows that fit different [[event]] sections: the {self._which} row decided",)
        if not chosen:
            raise _AtRowError(witnesses[0], "no [[event]] of the mapping fits this row; add one, or a [[skip]] if it is nothing")
        return chosen, remarks

    def _rules_of(self, row: StagedRow, place: int) -> list[EventRule]:
        """The first section that fits, and every one that says `also`."""
        chosen: list[EventRule] = []
        decided = False
        for rule in self._mapping.events:
            if decided and not rule.also:
                continue
            try:
                fits = rule.when is None or rule.when.holds(row.slots)
            except RowError as error:
                raise _AtRowError(place, f"{rule.place}, when: {error}") from None
            if fits:
                chosen.append(rule)
                decided = decided or not rule.also
        return chosen

    @property
    def _which(self) -> str:
        return "last" if self._last else "first"

    def _event(
        self, rule: EventRule, rows: Sequence[StagedRow], ordered: Sequence[int], witnesses: list[int], remarks: tuple[str, ...]
    ) -> Translated | Spoiled:
        said = list(remarks)
        reasons: dict[int, str] = {}
        lines = None if rule.lines is None else _lines(rule.lines, rows, ordered, reasons, said)
        try:
            fact = self._fact(rule, rows, witnesses, lines, said)
        except _AtRowError as error:
            reasons.setdefault(error.place, error.reason)
            return Spoiled(reasons)
        except RowError as error:
            reasons.setdefault(witnesses[0], str(error))
            return Spoiled(reasons)
        except DomainError as error:
            reasons.setdefault(0, str(error))
            return Spoiled(reasons)
        return Spoiled(reasons) if reasons else Translated(fact, tuple(dict.fromkeys(said)))

    def _fact(
        self, rule: EventRule, rows: Sequence[StagedRow], witnesses: list[int], lines: list[dict[str, Any]] | None, said: list[str]
    ) -> InboundFact:
        cells = rows[witnesses[0]].slots
        alone = len(witnesses) == 1

        def settle(name: str, value: Value) -> Any:
            return value.read(cells) if alone else self._settled(name, value, rows, witnesses, said)

        subject, moment = settle("subject", rule.subject), settle("time", rule.time)
        fact_id = rule.type if rule.id is None else settle("id", rule.id)
        for name, needed, value in (("subject", subject, rule.subject), ("time", moment, rule.time), ("id", fact_id, rule.id)):
            if needed is None:
                raise _AtRowError(witnesses[0], f"the {name} is empty ({value.place if value else rule.place})")
        data: dict[str, Any] = {}
        for name, value in rule.data:
            found = settle(name, value)
            if found is not None:
                data[name] = _plain(found, said) if isinstance(found, Moment) else found
        if lines is not None:
            data["lines"] = lines
        _plain(moment, said)
        return InboundFact(rule.type, self._mapping.source, subject, fact_id, moment.at, data)

    def _settled(self, name: str, value: Value, rows: Sequence[StagedRow], witnesses: list[int], said: list[str]) -> Any:
        """What the rows say, empty cells apart; where they say different things, what [group] decides."""
        settled = None
        for place in witnesses:
            found = _read(value, rows[place], place)
            if found is None or found == settled:
                continue
            if settled is None:
                settled = found
            elif self._strict:
                raise _AtRowError(place, f"the rows of this event have more than one {name}")
            else:
                said.append(f"had more than one {name}: the {self._which} counts")
        return settled


def _read(value: Value, row: StagedRow, place: int) -> Any:
    try:
        return value.read(row.slots)
    except RowError as error:
        raise _AtRowError(place, str(error)) from None


def _lines(
    fields: tuple[tuple[str, Value], ...],
    rows: Sequence[StagedRow],
    ordered: Sequence[int],
    reasons: dict[int, str],
    said: list[str],
) -> list[dict[str, Any]]:
    """One line for each row that has anything of one; the reasons of those that have something wrong are added."""
    lines = []
    for place in ordered:
        cells = rows[place].slots
        line: dict[str, Any] = {}
        for name, value in fields:
            try:
                found = value.read(cells)
            except RowError as error:
                reasons.setdefault(place, str(error))
                continue
            if found is not None:
                line[name] = found
        if line:
            lines.append(line)
    return lines


def _plain(moment: Moment, said: list[str]) -> str:
    """The moment as JSON; what was odd about it is said."""
    if moment.oddity is not None:
        said.append(SKIPPED_HOUR if moment.oddity == "skipped" else REPEATED_HOUR)
    return moment.text


def _shared_cells(mapping: Mapping) -> Callable[[Sequence[str | None]], Any]:
    """The cells that decide about the event as a whole: rows that agree in them are read once."""
    slots: set[int] = set()
    for rule in mapping.events:
        values = [rule.subject, rule.time, *([rule.id] if rule.id else []), *(value for _, value in rule.data)]
        slots.update(slot for value in values for slot in value.slots)
        slots.update(rule.when.slots if rule.when else ())
    if mapping.customer:
        values = [value for _, value in mapping.customer.reference]
        values += captured_values(mapping.customer.capture) if mapping.customer.capture else []
        slots.update(slot for value in values for slot in value.slots)
    return itemgetter(*sorted(slots)) if slots else lambda _cells: None
