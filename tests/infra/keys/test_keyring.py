"""The keyring: one key a person, made durable before it is used, forgotten when somebody is erased."""

from __future__ import annotations

import os
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from infra.crm import Crm
from infra.keys import keyring
from infra.keys.keyring import _Memory
from infra.keys.master import WrongMasterKey
from infra.keys.records import KeyRecord, key_record
from infra.log.contract import LogUnreachable, Outgoing
from tests.infra.crm import K, Shop
from tests.infra.people import ANA, capture, customer

KEY, SECRET = UUID(int=1), bytes(32)


def test_one_key_a_person_whoever_asks(shop: Shop) -> None:
    owners = [uuid4() for _ in range(15)]
    made = shop.crm.keyring.for_owners(owners)
    assert set(made) == set(owners)
    assert len({key.secret for key in made.values()}) == 15
    assert shop.crm.keyring.for_owners(owners) == made
    assert shop.another().keyring.for_owners(owners) == made
    assert len(shop.records(K)) == 15


def test_a_key_is_in_the_log_and_was_read_back_before_it_is_used(still_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads `crm.keys` here, so no key may be used."""
    monkeypatch.setattr(keyring, "READ_BACK_SECONDS", 0.3)
    with pytest.raises(LogUnreachable, match=r"is the indexer running\?$"):
        still_shop.crm.keyring.for_owner(uuid4())
    still_shop.index()
    still_shop.crm.keyring.for_owner(uuid4())


def test_a_key_that_is_not_there_is_absent_and_not_erased(shop: Shop) -> None:
    assert shop.crm.keyring.find([uuid4()]) == {}


def test_a_key_that_another_process_has_just_made_is_waited_for(still_shop: Shop) -> None:
    still_shop.index([K])
    key_id, owner = uuid4(), uuid4()
    wrapped = still_shop.crm.keyring.wrapper.wrap(SECRET, key_id, owner)
    still_shop.append(K, key_record(KeyRecord(key_id, owner, wrapped)))
    assert still_shop.crm.keyring.find([key_id]) == {key_id: SECRET}


def test_a_wrong_master_key_is_said_when_a_process_starts(embedded_shop: Shop) -> None:
    capture(embedded_shop.crm, ANA)
    with pytest.raises(WrongMasterKey, match="CRM_MASTER_KEY"):
        Crm(replace(embedded_shop.settings, master_key=os.urandom(32)))


def test_a_wrong_master_key_makes_no_key_even_before_the_index_knows_any(embedded_shop: Shop) -> None:
    shop = embedded_shop
    capture(shop.crm, ANA)
    shop.stop_indexing()
    shop.rows("DROP SCHEMA index CASCADE")
    with Crm(replace(shop.settings, master_key=os.urandom(32))) as crm:
        before = len(shop.records(K))
        shop.index()
        with pytest.raises(WrongMasterKey):
            crm.keyring.for_owner(uuid4())
        assert len(shop.records(K)) == before


def test_one_key_that_nobody_of_ours_wrote_does_not_make_the_master_key_wrong(embedded_shop: Shop) -> None:
    shop = embedded_shop
    forged = [key_record(KeyRecord(UUID(int=n), uuid4(), b"nonsense")) for n in range(3)]
    shop.append(K, *forged)
    shop.indexed()
    with pytest.raises(WrongMasterKey):
        shop.another()
    shop.rows("DELETE FROM index.encryption_key")
    capture(shop.crm, ANA)
    shop.append(K, Outgoing(b"7" * 36, b"{}"), *(key_record(KeyRecord(uuid4(), uuid4(), b"nonsense")) for _ in range(3)))
    shop.indexed()
    assert customer(shop.another(), ANA).name is not None


def test_memory_does_not_keep_what_was_asked_for_before_an_erasure() -> None:
    memory = _Memory()
    found, asked_at = memory.get([KEY])
    assert found == {}
    memory.keep({KEY: SECRET}, asked_at)
    assert memory.get([KEY, uuid4()])[0] == {KEY: SECRET}
    memory.forget()
    assert memory.get([KEY])[0] == {}
    memory.keep({KEY: SECRET}, asked_at)
    assert memory.get([KEY])[0] == {}
    memory.keep({KEY: SECRET}, memory.get([KEY])[1])
    assert memory.get([KEY])[0] == {KEY: SECRET}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "CACHED", 10)
    memory = _Memory()
    for number in range(100):
        memory.keep({UUID(int=number): SECRET}, 0)
    assert len(memory.get([UUID(int=number) for number in range(100)])[0]) <= 11
