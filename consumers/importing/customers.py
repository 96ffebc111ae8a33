"""The customers met in a file: each captured once, as its first row describes it, however many millions there are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import orjson

from consumers.importing.drafts import AddressDraft, CustomerDraft, EmailDraft, PhoneDraft
from consumers.importing.errors import RowError
from consumers.importing.mapping.customer import captured_values
from consumers.importing.mapping.model import AddressRule, CaptureRule, CustomerRule
from consumers.importing.scratch import Scratch
from consumers.importing.staging import StagedRow

_REMEMBERED = 20_000
"""External ids whose last cells are kept in memory; for the others the scratch file is asked."""


class Customers:
    """Draws a draft from the first row of each external id; tells later rows that differ."""

    def __init__(self, scratch: Scratch, source: str, rule: CustomerRule, capture: CaptureRule) -> None:
        self._scratch = scratch
        self._source = source
        self._rule = rule
        self._capture = capture
        self._slots = sorted({slot for value in captured_values(capture) for slot in value.slots})
        self._recent: dict[str, bytes] = {}
        self.differ = 0
        """Customers of whom two rows say different things."""
        scratch.execute(
            "CREATE TABLE customer (external_id TEXT PRIMARY KEY, cells BLOB NOT NULL, draft BLOB NOT NULL, differs INTEGER NOT NULL)"
            " WITHOUT ROWID"
        )

    def meet(self, row: StagedRow, file: str, met_at: datetime | None) -> CustomerDraft | None:
        """The customer of this row if it was not met before. Raises RowError if this first row cannot describe it."""
        value = self._rule.external_id
        external_id: str | None = value.read(row.slots) if value else None
        if external_id is None:
            return None
        cells = _digest([row.slots[slot] for slot in self._slots])
        if self._recent.get(external_id) == cells:
            return None
        self._remember(external_id, cells)
        found = self._scratch.one("SELECT cells, draft, differs FROM customer WHERE external_id = ?", (external_id,))
        if found is None:
            return self._first(external_id, row, cells, file, met_at)
        if found[0] != cells and not found[2] and self._fingerprint(external_id, row) != found[1]:
            self._scratch.execute("UPDATE customer SET differs = 1 WHERE external_id = ?", (external_id,))
            self.differ += 1
        return None

    def _first(self, external_id: str, row: StagedRow, cells: bytes, file: str, met_at: datetime | None) -> CustomerDraft:
        fingerprint = self._fingerprint(external_id, row)
        self._scratch.execute("INSERT INTO customer VALUES (?, ?, ?, 0)", (external_id, cells, fingerprint))
        return replace(self._draft(external_id, row), met_at=met_at, file=file, line=row.line)

    def _fingerprint(self, external_id: str, row: StagedRow) -> bytes:
        """Of what the row says about the customer, wherever it stands; of nothing where it cannot be read."""
        try:
            return _digest(self._draft(external_id, row))
        except RowError:
            return b""

    def _draft(self, external_id: str, row: StagedRow) -> CustomerDraft:
        cells = row.slots
        texts = {name: value.read(cells) for name, value in self._capture.texts}
        phones = [PhoneDraft(number, rule.kind, rule.label) for rule in self._capture.phones if (number := rule.number.read(cells))]
        emails = [EmailDraft(address, rule.label) for rule in self._capture.emails if (address := rule.address.read(cells))]
        addresses = [address for rule in self._capture.addresses if (address := _address(rule, cells))]
        return CustomerDraft(self._source, external_id, **texts, phones=tuple(phones), emails=tuple(emails), addresses=tuple(addresses))

    def _remember(self, external_id: str, cells: bytes) -> None:
        if len(self._recent) >= _REMEMBERED:
            self._recent.clear()
        self._recent[external_id] = cells


def _address(rule: AddressRule, cells: Sequence[str | None]) -> AddressDraft | None:
    lines = tuple(text for value in rule.lines if (text := value.read(cells)))
    parts = {name: text for name, value in rule.parts if (text := value.read(cells))}
    return AddressDraft(lines=lines, **parts, label=rule.label) if lines or parts else None


def _digest(what: object) -> bytes:
    return hashlib.blake2b(orjson.dumps(what), digest_size=12).digest()
