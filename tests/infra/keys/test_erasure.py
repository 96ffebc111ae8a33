"""Sealed and erased, on both logs: one person becomes unreadable everywhere, and nobody else does."""

from __future__ import annotations

import os
from uuid import UUID, uuid4

import orjson
import pytest

from domain.customer import CUSTOMER, CorrectName, Customer, SetLanguage
from domain.person_name import PersonName
from domain.purchase import PurchaseMade
from infra.crm import Crm
from infra.eventstore.snapshots import snapshot_topic
from infra.handler import StreamUnreadable
from infra.keys.keyring import OwnerErased
from infra.keys.records import ErasedRecord, KeyRecord, key_record, parse
from infra.log.contract import Outgoing, Topic
from tests.faults import wait_until
from tests.infra.crm import ACTOR, D, K, Shop
from tests.infra.people import ANA, BOB, CAPTURE, SAID_OF_THEM, capture, customer, purchase


def record(crm: Crm, *facts: object) -> None:
    crm.facts(ACTOR).append([(f.report.key, f.report.stream, 1, f.event, f.time) for f in facts])  # type: ignore[attr-defined]


def phone_of(crm: Crm, fact: object) -> object:
    """The number as this process reads it from the index."""
    report = fact.report  # type: ignore[attr-defined]
    (numbered,) = crm.handler.write_sides[Topic.FACTS].events.get((report.key, report.stream))
    assert isinstance(numbered.event, PurchaseMade)
    return numbered.event.phone


def test_an_erased_person_is_unreadable_from_index_and_log_and_nobody_else_is(shop: Shop) -> None:
    crm, elsewhere = shop.crm, shop.another()
    order, other_order = purchase("17", phone="0722 123 456"), purchase("18", phone="0722 123 456")
    for who in (ANA, BOB):
        capture(crm, who)
    record(crm, order, other_order)
    shop.indexed()
    for one in (crm, elsewhere):  # both hold the secrets in memory now
        assert customer(one, ANA).name == CAPTURE[ANA].name
        assert phone_of(one, order) is not None

    crm.keyring.erase(ANA.customer)
    crm.keyring.erase(order.report.key)
    assert_only_bob_is_readable(crm)
    wait_until(lambda: customer(elsewhere, ANA).name is None, what="the other process to forget")
    assert_only_bob_is_readable(elsewhere)
    for one in (crm, elsewhere):
        assert phone_of(one, order) is None
        assert phone_of(one, other_order) is not None

    shop.stop_indexing()
    shop.rows("DROP SCHEMA index CASCADE")
    afresh = shop.another()
    shop.catch_up()
    assert_only_bob_is_readable(afresh)
    assert phone_of(afresh, order) is None
    assert phone_of(afresh, other_order) is not None


def assert_only_bob_is_readable(crm: Crm) -> None:
    ana = customer(crm, ANA)
    assert ana == Customer(True, ANA, "Zimbru SRL")
    bob = customer(crm, BOB)
    assert (bob.name, bob.emails) == (CAPTURE[BOB].name, CAPTURE[BOB].emails)


def test_nothing_personal_can_be_written_about_an_erased_person_and_the_rest_can(shop: Shop) -> None:
    crm, elsewhere = shop.crm, shop.another()
    capture(crm, ANA)
    capture(elsewhere, BOB)
    crm.keyring.erase(ANA.customer)
    wait_until(lambda: customer(elsewhere, ANA).name is None, what="the other process to forget")
    rename = CorrectName(PersonName.of("Zoe", None, None))
    for one in (crm, elsewhere):
        with pytest.raises(OwnerErased, match=r"\.$"):
            one.handle(CUSTOMER, rename, key=ANA.customer, actor=ACTOR)
        one.handle(CUSTOMER, rename, key=BOB.customer, actor=ACTOR)
    assert crm.handle(CUSTOMER, SetLanguage("ro"), key=ANA.customer, actor=ACTOR).version == 2


def test_one_who_was_never_written_about_can_be_erased_and_twice(shop: Shop) -> None:
    nobody = uuid4()
    shop.crm.keyring.erase(nobody)
    shop.crm.keyring.erase(nobody)
    with pytest.raises(OwnerErased):
        shop.crm.keyring.for_owner(nobody)


def test_two_keys_of_one_person_both_open_and_both_are_erased(shop: Shop) -> None:
    """Two processes may make a key for one person at once: both stay."""
    crm = shop.crm
    capture(crm, ANA)
    crm.keyring.forget()
    second = KeyRecord(UUID(int=1), ANA.customer, crm.keyring.wrapper.wrap(os.urandom(32), UUID(int=1), ANA.customer))
    shop.append(K, key_record(second))
    shop.indexed()
    assert crm.keyring.for_owner(ANA.customer).id == second.id
    crm.handle(CUSTOMER, CorrectName(PersonName.of("Zoe", None, None)), key=ANA.customer, actor=ACTOR)
    used = {orjson.loads(data)["name"]["sealed"] for (data,) in shop.rows("SELECT data FROM index.event")}
    assert len(used) == 2
    read = customer(crm, ANA)
    assert (read.name, read.emails) == (PersonName.of("Zoe", None, None), CAPTURE[ANA].emails)
    crm.keyring.erase(ANA.customer)
    read = customer(crm, ANA)
    assert (read.name, read.emails) == (None, ())


def test_a_key_made_while_the_erasure_runs_is_overwritten_too(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = shop.crm
    capture(crm, ANA)
    append, meanwhile = crm.keyring._append, uuid4()

    def append_after_another_process(records: list[Outgoing]) -> None:
        monkeypatch.setattr(crm.keyring, "_append", append)
        append([key_record(KeyRecord(meanwhile, ANA.customer, crm.keyring.wrapper.wrap(bytes(32), meanwhile, ANA.customer)))])
        append(records)

    monkeypatch.setattr(crm.keyring, "_append", append_after_another_process)
    crm.keyring.erase(ANA.customer)
    last = {record.key: parse(record) for record in sorted(shop.records(K), key=lambda r: r.offset)}
    assert str(meanwhile).encode() in last
    assert len(last) == 3
    assert all(isinstance(entry, ErasedRecord) for entry in last.values())


def test_no_personal_text_stands_in_the_clear_in_log_or_index(shop: Shop) -> None:
    crm = shop.crm
    for who in (ANA, BOB):
        capture(crm, who, idempotency_key=f"{who.id}-1")
    crm.handle(CUSTOMER, CorrectName(None, reason="Ana-Zoe said so"), key=ANA.customer, actor=ACTOR)
    record(crm, purchase("17", phone="0722 123 456"))
    shop.indexed()
    bytes_of_the_log = [
        part for topic in Topic for r in shop.records(topic)
        for part in (r.key, r.value, *(item for name, value in r.headers for item in (name.encode(), value)))
    ]  # fmt: skip
    assert len(bytes_of_the_log) > 20
    index = [
        row.encode() for table in ("event", "refused", "encryption_key") for (row,) in shop.rows(f"SELECT t::text FROM index.{table} t")
    ]
    for clear in SAID_OF_THEM:
        assert not any(clear.encode() in (part or b"") for part in (*bytes_of_the_log, *index)), clear
    assert any(b"Zimbru" in (part or b"") for part in bytes_of_the_log), "what is not personal is found so"


def test_a_sealed_text_moved_to_another_place_of_the_log_cannot_be_opened(shop: Shop) -> None:
    """By somebody who may write to the log, and would have Ana's name shown as Bob's."""
    crm = shop.crm
    capture(crm, ANA)
    capture(crm, BOB)
    ((data,),) = shop.rows("SELECT data FROM index.event WHERE key = %s", ANA.customer)
    forged = {"stream": str(BOB.customer), "version": 2, "type": "customer.name_corrected", "schema": 1,
              "occurred_at": "2026-11-22T10:00:00Z", "data": {"name": orjson.loads(data)["name"]}}  # fmt: skip
    body = {"format": 1, "id": str(uuid4()), "key": str(BOB.customer), "reads": {}, "events": [forged]}
    shop.append(D, Outgoing(str(BOB.customer).encode(), orjson.dumps(body)))
    shop.indexed()
    with pytest.raises(StreamUnreadable, match="name cannot be decrypted"):
        customer(crm, BOB)


def test_a_snapshot_that_comes_after_the_erasure_is_not_kept(shop: Shop) -> None:
    """Of a command that loaded the person before: a snapshot holds the state in the clear."""
    crm = shop.crm
    capture(crm, ANA)
    write_side, loaded = crm.handler.write_sides[Topic.DECISIONS], crm.handler.load(CUSTOMER, (ANA.customer, ANA.customer))
    write_side.snapshot(loaded, snapshot_topic(CUSTOMER))
    assert shop.rows("SELECT count(*) FROM index.snapshot") == [(1,)]
    crm.keyring.erase(ANA.customer)
    assert shop.rows("SELECT count(*) FROM index.snapshot") == [(0,)]
    write_side.snapshot(loaded, snapshot_topic(CUSTOMER))
    assert shop.rows("SELECT count(*) FROM index.snapshot") == [(0,)]
