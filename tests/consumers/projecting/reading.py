"""Histories written into a real log, and read models folded from it: what tests of the projector compare."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from consumers.projecting.digests import rows_in_order
from consumers.projecting.projector import Projector
from consumers.projecting.schema import create_read_models
from infra.eventstore.commit import CommitContext, write_commit
from infra.eventstore.mapper import EventMapper
from infra.eventstore.numbered import Numbered
from infra.log.contract import Outgoing, Topic
from projections.batch import Projection, Recorded
from projections.registry import PROJECTIONS
from tests.faults import wait_until
from tests.infra.crm import ACTOR, D, F, Shop
from tests.projections.histories import CUSTOMERS, EVENTS, OFTEN, recorded, step

SECONDS = 60.0
TOPICS = {"d": D, "f": F}
Contents = dict[str, bytes]
"""Every row of every table, by the table's name."""


def write_history(shop: Shop, events: int, seed: int) -> None:
    """Append a history of about so many events, over every type, and index it. The shop's partitions are those of histories.py."""
    r = Random(seed)
    kinds = [*EVENTS, *OFTEN]
    first = [step(kinds[0], r.randrange(10**9)) for _ in CUSTOMERS]
    history = recorded([*first, *(step(r.choice(kinds), r.randrange(10**9)) for _ in range(events))])
    for letter, topic in TOPICS.items():
        write(shop, topic, [event for name, following in history.items() if name[0] == letter for event in following])
    shop.indexed()


def write(shop: Shop, topic: Topic, events: Iterable[Recorded]) -> None:
    """Append these events, a commit each, as the product writes them."""
    mapper = EventMapper(shop.crm.keyring)
    shop.append(topic, *(commit(mapper, event) for event in events))


def commit(mapper: EventMapper, event: Recorded) -> Outgoing:
    """One event as one commit."""
    numbered = Numbered((event.key, event.stream), event.version, event.event, event.occurred_at)
    return write_commit([mapper.to_stored_event(numbered)], CommitContext(ACTOR, datetime(2024, 1, 1, tzinfo=UTC)))


def read_models(shop: Shop, projections: Sequence[Projection] = PROJECTIONS, schema: str = "read") -> None:
    """Make the tables, where they are not there."""
    with shop.crm.pool.transaction() as cursor:
        create_read_models(cursor, shop.crm.log, projections, schema)


def projector(shop: Shop, projection: Projection, *, schema: str = "read", lease: bool = False) -> Projector:
    """One that nobody runs: a test steps it. Close it in the end."""
    return Projector(shop.crm.pool, shop.crm.log, shop.crm.keyring, projection, schema=schema, lease=lease)


def fold(shop: Shop, projections: Sequence[Projection] = PROJECTIONS, *, schema: str = "read") -> None:
    """Fold all of the index, here and now."""
    read_models(shop, projections, schema)
    for projection in projections:
        with projector(shop, projection, schema=schema) as one:
            while one.step():
                pass


def contents(shop: Shop, projections: Sequence[Projection] = PROJECTIONS, *, schema: str = "read") -> Contents:
    """What stands in the tables, and which keys are parked."""
    written: Contents = {}
    with shop.crm.pool.transaction() as cursor:
        for projection in projections:
            for table in projection.tables:
                copied = io.BytesIO()
                cursor.copy_expert(f"COPY ({rows_in_order(schema, table)}) TO STDOUT", copied)
                written[table.name] = copied.getvalue()
        copied = io.BytesIO()
        cursor.copy_expert(f'COPY (SELECT * FROM "{schema}".parked ORDER BY projection, partition, log_offset, place) TO STDOUT', copied)
        written["parked"] = copied.getvalue()
    return written


def from_zero(shop: Shop, projections: Sequence[Projection] = PROJECTIONS) -> Contents:
    """What one projector makes of the whole index, in tables of its own."""
    shop.rows("DROP SCHEMA IF EXISTS again CASCADE")
    fold(shop, projections, schema="again")
    return contents(shop, projections, schema="again")


def behind(shop: Shop, projections: Sequence[Projection] = PROJECTIONS) -> int:
    """How many offsets the read models have not passed."""
    ((offsets,),) = shop.rows(
        """SELECT coalesce(sum(i.next_offset - r.next_offset), 0) FROM index.checkpoint i
           JOIN read.checkpoint r ON r.partition = i.topic || i.partition WHERE r.projection = ANY(%s)""",
        [projection.name for projection in projections],
    )
    return int(offsets)


def wait_until_folded(shop: Shop, projections: Sequence[Projection] = PROJECTIONS) -> None:
    """Wait for projectors that run elsewhere."""
    wait_until(lambda: behind(shop, projections) == 0, SECONDS, what="the read models")


def parked(shop: Shop) -> set[tuple[str, UUID]]:
    """(projection, key) of what is set aside."""
    return {(name, key) for name, key in shop.rows("SELECT projection, key FROM read.parked")}
