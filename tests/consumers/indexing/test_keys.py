"""The table of encryption keys: erased wins for ever, in whatever order and batches its records arrive, from however many readers."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.indexing.keys import index_keys
from infra.keys.records import ErasedRecord, KeyRecord, erased_record, key_record
from infra.log.contract import Log, Outgoing, Record, Topic
from infra.postgres.connection import Connection, Cursor, connect
from infra.postgres.schema import create_index
from tests.infra.crm import SECONDS

ANA, BOB = UUID(int=1), UUID(int=2)
ANAS, BOBS = (UUID(int=11), UUID(int=12)), (UUID(int=21),)


class Counted:
    """As much of a log as the schema needs."""

    def partitions(self, _topic: Topic) -> int:
        return 8


def record(outgoing: Outgoing | tuple[bytes | None, bytes | None]) -> Record:
    key, value = outgoing if isinstance(outgoing, tuple) else (outgoing.key, outgoing.value)
    return Record(Topic.KEYS, 0, 0, 0, key, value)


def key(key_id: UUID, owner: UUID, wrapped: bytes = b"wrapped") -> Record:
    return record(key_record(KeyRecord(key_id, owner, wrapped)))


def erased(record_id: UUID, owner: UUID) -> Record:
    return record(erased_record(ErasedRecord(record_id, owner)))


@pytest.fixture
def cursor(dsn: str) -> Iterator[Cursor]:
    connection = connect(dsn)
    with connection.cursor() as one:
        log: Log = Counted()  # type: ignore[assignment]
        create_index(one, log)
        yield one
    connection.close()


def contents(cursor: Cursor) -> tuple[dict[UUID, bytes | None], set[UUID]]:
    cursor.execute("SELECT id, wrapped FROM index.encryption_key")
    keys = {key_id: None if wrapped is None else bytes(wrapped) for key_id, wrapped in cursor.fetchall()}
    cursor.execute("SELECT owner FROM index.erased_owner")
    return keys, {owner for (owner,) in cursor.fetchall()}


def start_over(cursor: Cursor) -> None:
    cursor.execute("DELETE FROM index.encryption_key; DELETE FROM index.erased_owner")


GARBAGE = [
    record((None, None)), record((b"", b"")), record((str(ANA).encode(), None)), record((str(ANA).encode(), b"{")),
    record((str(ANA).encode(), b"[]")), record((str(ANA).encode(), b'"erased"')), record((str(ANA).encode(), b'{"erased":7}')),
    record((b"\xff", b'{"erased":"%s"}' % str(BOB).encode())), record((str(ANA).encode(), b'{"format":1,"kind":"token","owner":"x"}')),
    record((str(uuid4()).encode(), b'{"format":1,"kind":"encryption_key","owner":"%s"}' % str(BOB).encode())),
    record((str(uuid4()).encode(), b'{"format":1,"kind":"encryption_key","owner":"%s","wrapped":7}' % str(BOB).encode())),
]  # fmt: skip

HONEST = [
    *(key(key_id, ANA) for key_id in ANAS), *(key(key_id, BOB) for key_id in BOBS),
    erased(ANA, ANA), *(erased(key_id, ANA) for key_id in ANAS),
]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_erased_wins_in_whatever_order_and_batches(cursor: Cursor, data: st.DataObject) -> None:
    """Also where the key's own marker never comes (its record was made while the erasure ran), and where records come twice."""
    left_out = data.draw(st.sets(st.sampled_from([erased(key_id, ANA) for key_id in ANAS]), max_size=2))
    records = data.draw(st.permutations([*(r for r in HONEST if r not in left_out), *HONEST[:2], GARBAGE[4]]))
    start_over(cursor)
    while records:
        size = data.draw(st.integers(1, len(records)))
        index_keys(cursor, "index", records[:size])
        records = records[size:]
    keys, owners = contents(cursor)
    assert owners == {ANA}
    assert keys == dict.fromkeys(ANAS) | dict.fromkeys(BOBS, b"wrapped")


def test_bytes_that_nobody_of_ours_wrote_are_passed_over(cursor: Cursor) -> None:
    index_keys(cursor, "index", [*GARBAGE, key(BOBS[0], BOB), *GARBAGE])
    assert contents(cursor) == ({BOBS[0]: b"wrapped"}, set())


def test_two_markers_over_one_key_do_not_stop_the_reader(cursor: Cursor) -> None:
    index_keys(cursor, "index", [key(ANAS[0], ANA), erased(ANAS[0], ANA), erased(ANAS[0], BOB)])
    keys, owners = contents(cursor)
    assert keys == {ANAS[0]: None}
    assert owners == {ANA, BOB}


MEETINGS = [(key(ANAS[0], ANA), erased(ANA, ANA)), (erased(ANA, ANA), key(ANAS[0], ANA))]


@pytest.mark.parametrize("order", MEETINGS, ids=["key first", "erasure first"])
def test_a_key_and_its_owners_erasure_meet_whoever_reads_them(cursor: Cursor, dsn: str, order: tuple[Record, Record]) -> None:
    """They stand in different partitions, which two processes may read at the same moment: the second waits for the first."""
    first, second = (connect(dsn, autocommit=False) for _ in range(2))
    with first.cursor() as indexing:
        index_keys(indexing, "index", [order[0]])
    other = Thread(target=index_alone, args=(second, order[1]))
    other.start()
    other.join(0.5)
    first.commit()
    other.join(SECONDS)
    assert contents(cursor) == ({ANAS[0]: None}, {ANA})
    first.close()


def index_alone(connection: Connection, record: Record) -> None:
    with connection, connection.cursor() as cursor:
        index_keys(cursor, "index", [record])
    connection.close()


def test_an_erasure_takes_the_snapshots_of_its_owner_along(cursor: Cursor) -> None:
    """A snapshot holds the state in the clear."""
    for stream_key, stream in ((ANA, ANA), (ANA, uuid4()), (uuid4(), ANA), (BOB, BOB)):
        cursor.execute("INSERT INTO index.snapshot VALUES (%s, %s, 100, 'snapshot:x', '')", (stream_key, stream))
    index_keys(cursor, "index", [erased(ANA, ANA)])
    cursor.execute("SELECT key, stream FROM index.snapshot")
    assert cursor.fetchall() == [(BOB, BOB)]


def test_everybody_who_holds_secrets_is_told_of_an_erasure(cursor: Cursor, dsn: str) -> None:
    listener = connect(dsn)
    with listener.cursor() as listening:
        listening.execute("LISTEN erased")
        index_keys(cursor, "index", [key(BOBS[0], BOB), erased(ANAS[0], ANA)])
        listening.execute("SELECT 1")
        assert [one.payload for one in listener.notifies] == [str(ANA)]
    listener.close()
