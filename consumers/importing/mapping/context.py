"""What the compiling of every value shares: how the file writes things, and which columns are in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from consumers.importing.errors import nearest
from consumers.importing.mapping.columns import Columns
from consumers.importing.mapping.formats import compile_format
from consumers.importing.mapping.numbers import number_parser
from consumers.importing.mapping.table import Table
from consumers.importing.mapping.times import TimeFormats


@dataclass(frozen=True)
class Context:
    """`[file]` as far as values depend on it, and the columns used so far."""

    missing: frozenset[str] = frozenset()
    decimal: str = "."
    thousands: str = ""
    zone: ZoneInfo | None = None
    dates: tuple[str, ...] = ("iso",)
    columns: Columns = field(default_factory=Columns)

    @property
    def parse_number(self) -> Callable[[str], Decimal]:
        """From the file's writing of a number to an exact one."""
        return number_parser(self.decimal, self.thousands)

    def times(self, table: Table, *, day_only: bool = False) -> TimeFormats:
        """The formats and zone of one value, its own or the file's."""
        own = table.texts("format")
        written = own or self.dates
        zone = self.zone if day_only else read_zone(table, "zone") or self.zone
        readers = []
        for pattern in written:
            try:
                reader, may_lack_offset = compile_format(pattern)
            except ValueError as error:
                raise table.wrong(f"{error}.", "format" if own else None) from None
            if may_lack_offset and pattern != "iso" and zone is None and not day_only:
                raise table.wrong(f'{pattern!r} has no offset, so a zone is needed; add zone = "Europe/Paris" here or in [file].', "zone")
            readers.append(reader)
        return TimeFormats(written, readers, zone)


def read_zone(table: Table, key: str) -> ZoneInfo | None:
    """A time zone of the IANA data base, None if absent."""
    name = table.text(key)
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(name, sorted(available_timezones())) or "; one looks like Europe/Paris."
        raise table.wrong(f"{name!r} is no time zone{near}", key) from None
