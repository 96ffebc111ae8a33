"""A whole mapping, compiled: what `load_mapping` answers and the rest of the importer works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from consumers.importing.mapping.columns import Columns
from consumers.importing.mapping.conditions import Condition
from consumers.importing.mapping.values import Value

FileType = Literal["csv", "tsv", "ndjson"]
Differ = Literal["first", "last", "reject"]


@dataclass(frozen=True)
class FileForm:
    """`[file]`, as far as reading rows depends on it. None: decided by the file (its suffix, its header)."""

    type: FileType | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    quote: str = '"'
    escape: str | None = None
    columns: tuple[str, ...] | None = None
    skip_lines: int = 0
    unfold: str | None = None
    optional: frozenset[str] = frozenset()
    """Columns that a file may lack; they are then empty."""


@dataclass(frozen=True)
class RowRule:
    """A `[[skip]]` or `[[reject]]`: the condition and what to say."""

    when: Condition
    reason: str


@dataclass(frozen=True)
class Grouping:
    """`[group]`: rows with the same `by` are one event."""

    by: Value
    order: Value | None
    differ: Differ


@dataclass(frozen=True)
class EventRule:
    """An `[[event]]`. `data` and `lines` are (field, value) in the order of the mapping; lines is None where there are none."""

    place: str
    type: str
    when: Condition | None
    also: bool
    subject: Value
    id: Value | None
    time: Value
    data: tuple[tuple[str, Value], ...]
    lines: tuple[tuple[str, Value], ...] | None


@dataclass(frozen=True)
class PhoneRule:
    """A number to capture; kind and label are constants."""

    number: Value
    kind: str | None
    label: str | None


@dataclass(frozen=True)
class EmailRule:
    """An e-mail address to capture."""

    address: Value
    label: str | None


@dataclass(frozen=True)
class AddressRule:
    """A postal address to capture. `parts` are the draft's fields by name."""

    lines: tuple[Value, ...]
    parts: tuple[tuple[str, Value], ...]
    label: str | None


@dataclass(frozen=True)
class CaptureRule:
    """`[customer.capture]`. `texts` are the draft's fields by name."""

    texts: tuple[tuple[str, Value], ...]
    phones: tuple[PhoneRule, ...]
    emails: tuple[EmailRule, ...]
    addresses: tuple[AddressRule, ...]


@dataclass(frozen=True)
class CustomerRule:
    """`[customer]`: how a fact refers to its customer, and what is captured on the way (None: nothing)."""

    reference: tuple[tuple[str, Value], ...]
    capture: CaptureRule | None
    phone_region: Value | None = None
    """Where a number that refers to the customer is dialled, if it has no country of its own."""

    @property
    def external_id(self) -> Value | None:
        """The value that tells customers apart, if there is one."""
        return dict(self.reference).get("external_id")


@dataclass(frozen=True)
class Mapping:
    """A mapping, compiled and found right, save that nobody has seen the file's columns yet."""

    stem: str
    file_name: str
    source: str
    form: FileForm
    columns: Columns
    decimal: str
    skips: tuple[RowRule, ...]
    rejects: tuple[RowRule, ...]
    grouping: Grouping | None
    customer: CustomerRule | None
    events: tuple[EventRule, ...]
