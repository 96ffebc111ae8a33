"""What may be appended. Refused before sending: a record that a broker refuses takes its whole batch with it."""

from __future__ import annotations

from collections.abc import Iterable

from infra.log.contract import Outgoing, RecordTooLarge

MAX_RECORD_BYTES = 1 << 20

HEADER_OVERHEAD = 8
"""What each header counts beside its name and value: no less than what Kafka's lengths take, so that many small headers count too."""


def require_acceptable(records: Iterable[Outgoing], limit: int) -> None:
    """Raise RecordTooLarge if key, value and headers of a record are more than `limit` bytes together.

    Raises ValueError for a header without a value: kafka-python reads such, but cannot write them.
    """
    for record in records:
        size = len(record.key) + len(record.value or b"")
        for name, value in record.headers:
            if value is None:
                raise ValueError(f"The header {name!r} has no value; give it one, or leave it out.")
            size += len(name.encode()) + len(value) + HEADER_OVERHEAD
        if size > limit:
            raise RecordTooLarge(f"The record is {size:,} bytes, and the log takes at most {limit:,}; make it smaller, nothing was sent.")
