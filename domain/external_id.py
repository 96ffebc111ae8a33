"""What an outside system calls a customer."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.ids import customer_id
from domain.value import require_line


@dataclass(frozen=True)
class ExternalId:
    """A source's own id of a customer: in the clear, and compared exactly as written."""

    source: str
    id: str

    def __post_init__(self) -> None:
        require_line(self.source, "The source", 512)
        require_line(self.id, "The external id", 512)

    @property
    def customer(self) -> UUID:
        """The id of the customer that was created with this external id, or the stream of the pointer to the customer."""
        return customer_id(self.source, self.id)
