"""The law of order: whatever order partitions are read in, and wherever batches end, a read model comes out the same, byte for byte.

Streams are cut short as a question about the past cuts them. One projection that breaks the law proves that the test can fail.
"""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random

import pytest
from hypothesis import Verbosity, given, settings
from hypothesis import strategies as st

from consumers.projecting.digests import rows_in_order
from domain.event_types import BY_CLASS, EVENT_TYPES
from infra.postgres.connection import Cursor, connect
from projections.batch import Batch, Projection, Recorded
from projections.ledger import LEDGER
from projections.registry import PROJECTIONS
from projections.tables import Column, Table, Tables
from tests.projections.histories import EVENTS, QUICK, History, cut, histories, in_one_batch, interleaved

SOAK = settings(QUICK, max_examples=3000)
GENERATE = settings(QUICK, max_examples=2000, database=None, verbosity=Verbosity.quiet)

Batches = Sequence[Sequence[Recorded]]


@contextmanager
def tables_of(dsn: str, *projections: Projection) -> Iterator[Cursor]:
    """A cursor in whose transaction the tables of these projections are there, and empty."""
    connection = connect(dsn, autocommit=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA read")
            for table in (table for projection in projections for table in projection.tables):
                cursor.execute(table.create_sql("read"))
            yield cursor
    finally:
        connection.close()


def contents(cursor: Cursor, projection: Projection, batches: Batches) -> dict[str, bytes]:
    """What stands in each table after these batches; nothing of it is kept."""
    cursor.execute("SAVEPOINT empty")
    for batch in batches:
        minded = [recorded for recorded in batch if projection.reads(recorded.topic, recorded.type)]
        projection.fold(Batch(minded), Tables(cursor, "read", projection.tables))
    written = {}
    for table in projection.tables:
        copied = io.BytesIO()
        cursor.copy_expert(f"COPY ({rows_in_order('read', table)}) TO STDOUT", copied)
        written[table.name] = copied.getvalue()
    cursor.execute("ROLLBACK TO SAVEPOINT empty; RELEASE SAVEPOINT empty")
    return written


@st.composite
def two_ways(draw: st.DrawFn) -> tuple[Batches, Batches]:
    """One history, cut short somewhere, in two interleavings."""
    r = Random(draw(st.integers(0, 10**9)))
    history = cut(draw(histories()), r)
    return interleaved(history, r), r.choice([in_one_batch(history), interleaved(history, r)])


def keep_the_law(dsn: str, chosen: settings) -> None:
    with tables_of(dsn, *PROJECTIONS) as cursor:

        @chosen
        @given(two_ways())
        def check(ways: tuple[Batches, Batches]) -> None:
            one, other = ways
            for projection in PROJECTIONS:
                assert contents(cursor, projection, one) == contents(cursor, projection, other), projection.name

        check()


def test_no_order_of_partitions_and_no_batch_changes_a_read_model(dsn: str) -> None:
    keep_the_law(dsn, QUICK)


@pytest.mark.soak
def test_no_order_changes_a_read_model_in_a_long_run(dsn: str) -> None:
    keep_the_law(dsn, SOAK)


LATEST = Table("latest", (Column("one", "integer"), Column("type", "text")), key=("one",))


def _fold_latest(batch: Batch, tables: Tables) -> None:
    rows = tables[LATEST].load({(1,)})
    for recorded in batch:
        rows[1,] = {"one": 1, "type": recorded.type}
    tables[LATEST].store(rows.values())


BREAKS_THE_LAW = Projection("latest", 1, (LATEST,), ("",), _fold_latest)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_a_projection_that_depends_on_order_is_found_out(dsn: str) -> None:
    with tables_of(dsn, BREAKS_THE_LAW) as cursor:

        @GENERATE
        @given(two_ways())
        def check(ways: tuple[Batches, Batches]) -> None:
            one, other = ways
            assert contents(cursor, BREAKS_THE_LAW, one) == contents(cursor, BREAKS_THE_LAW, other)

        with pytest.raises(AssertionError):
            check()


def test_histories_reach_every_type_of_event() -> None:
    unmade = [event_type.cls.__name__ for event_type in EVENT_TYPES if event_type.cls not in EVENTS]
    assert not unmade, f"tests/projections/histories.py must say how these are made: {unmade}"
    reached: Counter[type] = Counter()

    @settings(GENERATE, max_examples=60, derandomize=True)
    @given(histories())
    def gather(history: History) -> None:
        reached.update(type(event.event) for events in history.values() for event in events)

    gather()
    assert set(reached) == set(BY_CLASS)


def test_two_projectors_at_once_count_as_one_does(dsn: str) -> None:
    """Each folds partitions of its own, in small batches, and both move the totals of the same customers."""
    connection = connect(dsn)
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA read; CREATE SCHEMA alone")
        for schema in ("read", "alone"):
            for table in LEDGER.tables:
                cursor.execute(table.create_sql(schema))
    connection.close()

    @settings(QUICK, max_examples=15)
    @given(histories(most=60))
    def check(history: History) -> None:
        halves = [{name: events for name, events in history.items() if int(name[1:]) % 2 == half} for half in (0, 1)]
        threads = [threading.Thread(target=_fold_committed, args=(dsn, "read", half)) for half in halves]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _fold_committed(dsn, "alone", history)
        assert _emptied(dsn, "read") == _emptied(dsn, "alone")

    check()


def _fold_committed(dsn: str, schema: str, history: History) -> None:
    connection = connect(dsn, autocommit=False)
    try:
        for events in history.values():
            for start in range(0, len(events), 3):
                with connection, connection.cursor() as cursor:
                    LEDGER.fold(Batch(events[start : start + 3]), Tables(cursor, schema, LEDGER.tables))
    finally:
        connection.close()


def _emptied(dsn: str, schema: str) -> dict[str, bytes]:
    """What stands in each table of the ledger; then nothing."""
    written = {}
    connection = connect(dsn, autocommit=False)
    with connection, connection.cursor() as cursor:
        for table in LEDGER.tables:
            copied = io.BytesIO()
            cursor.copy_expert(f"COPY ({rows_in_order(schema, table)}) TO STDOUT", copied)
            written[table.name] = copied.getvalue()
            cursor.execute(f'DELETE FROM "{schema}".{table.name}')
    connection.close()
    return written
