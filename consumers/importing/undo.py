"""`crm undo-import BATCH`: withdraws the facts of one batch, at any size. The customers stay; those with nothing left are listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domain.fact import FactWithdrawn
from infra.crm import Crm
from infra.log.contract import LogUnreachable, Position
from infra.postgres.connection import connect

AT_ONCE = 2_000
WAIT_SECONDS = 600.0

StreamVersion = tuple[UUID, UUID, int]
"""(key, stream, version of what is withdrawn)"""


@dataclass
class Undone:
    """What an undo came to."""

    withdrawn: int = 0
    """Withdrawn now."""
    before: int = 0
    """Facts of this batch that had been withdrawn before (or recorded anew by another batch since)."""
    customers: set[UUID] = field(default_factory=set)
    """Those whose interactions they were."""


class NoSuchBatch(Exception):
    """No fact was ever recorded with this batch; the message is a sentence."""


def undo(crm: Crm, batch: str, actor: str, told: Callable[[int], None] = lambda _count: None) -> Undone:
    """Withdraw every fact of the batch that still stands. Safe to repeat, and to stop half-way: what is withdrawn stays so.

    The timeline must have folded all of the log. `told` hears of each portion. Raises NoSuchBatch, LogUnreachable.
    """
    undone, run = Undone(before=_withdrawn_before(crm, batch)), crm.facts(actor)
    for portion in _portions(crm, batch):
        # A correction carries the time of what it corrects (design, section 5).
        withdrawn = FactWithdrawn(batch)
        answers = run.append([(key, stream, version + 1, withdrawn, occurred_at) for key, stream, version, occurred_at, _ in portion])
        undone.withdrawn += sum(isinstance(answer, Position) for answer in answers)
        undone.customers |= {row[4] for row in portion if row[4] is not None}
        told(len(portion))
    if not undone.withdrawn and not undone.before:
        raise NoSuchBatch(f"No import was ever recorded as {batch}; the name of a batch stands in what `crm import` printed.")
    if not crm.progress.wait_for(run.last.values(), WAIT_SECONDS):
        raise LogUnreachable("The batch is withdrawn, but the index has not caught up; look at `crm lag`.")
    return undone


def count(crm: Crm, batch: str) -> int:
    """How many facts of the batch still stand."""
    with crm.pool.transaction() as cursor:
        cursor.execute("SELECT count(*) FROM read.timeline_entry WHERE batch = %s AND active", (batch,))
        (number,) = cursor.fetchone() or (0,)
    return int(number)


def _withdrawn_before(crm: Crm, batch: str) -> int:
    with crm.pool.transaction() as cursor:
        cursor.execute("SELECT count(*) FROM read.timeline_entry WHERE batch = %s AND type = 'fact.withdrawn'", (batch,))
        (number,) = cursor.fetchone() or (0,)
    return int(number)


def _portions(crm: Crm, batch: str) -> Iterator[list[Any]]:
    """(key, stream, version, occurred_at, customer) of what still stands, as it was when we began: read on a connection of its own
    through a cursor, so that a batch may be larger than memory."""
    connection = connect(crm.dsn, autocommit=False)
    try:
        with connection.cursor(name="undo") as cursor:
            cursor.execute(
                "SELECT key, stream, version, occurred_at, customer FROM read.timeline_entry WHERE batch = %s AND active",
                (batch,),
            )
            while portion := cursor.fetchmany(AT_ONCE):
                yield portion
    finally:
        connection.close()


def with_nothing_left(crm: Crm, customers: set[UUID]) -> list[UUID]:
    """Those of the customers to whom no interaction that stands is attributed. The timeline must have caught up."""
    with crm.pool.transaction() as cursor:
        cursor.execute(
            """SELECT c FROM unnest(%s::uuid[]) c WHERE NOT EXISTS (
                   SELECT FROM read.timeline_entry e WHERE e.customer = c AND e.fact AND e.active)
               ORDER BY c""",
            (list(customers),),
        )
        return [row[0] for row in cursor.fetchall()]
