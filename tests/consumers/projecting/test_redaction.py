"""When somebody is erased, the read models that are there already forget them too, and are what a rebuild would make."""

from __future__ import annotations

from uuid import UUID

from domain.customer import CUSTOMER as DECIDER
from domain.customer import CaptureCustomer, SetLanguage
from projections.customer import CUSTOMER
from projections.identity import IDENTITY
from projections.registry import PROJECTIONS
from tests.consumers.projecting.reading import contents, fold, from_zero, projector, read_models
from tests.infra.crm import ACTOR, Shop
from tests.infra.people import ANA, BOB, SAID_OF_THEM, capture

SAID_OF_ANA = [word.encode() for word in SAID_OF_THEM if "Quxley" not in word and "bob" not in word]


def found(shop: Shop) -> set[UUID]:
    return {row[0] for row in shop.rows("SELECT customer FROM read.identity_handle")}


def test_who_was_erased_is_not_findable_and_stands_in_no_table(embedded_shop: Shop) -> None:
    for who in (ANA, BOB):
        capture(embedded_shop.crm, who)
    fold(embedded_shop)
    assert found(embedded_shop) == {ANA.customer, BOB.customer}
    assert any(word in rows for rows in contents(embedded_shop).values() for word in SAID_OF_ANA)
    embedded_shop.crm.keyring.erase(ANA.customer)
    embedded_shop.indexed()
    fold(embedded_shop)
    assert found(embedded_shop) == {BOB.customer}
    assert not any(word in rows for rows in contents(embedded_shop).values() for word in SAID_OF_ANA)
    assert contents(embedded_shop) == from_zero(embedded_shop)


def test_what_is_not_personal_stays(embedded_shop: Shop) -> None:
    capture(embedded_shop.crm, ANA)
    embedded_shop.crm.handle(DECIDER, SetLanguage("ro"), key=ANA.customer, actor=ACTOR)
    fold(embedded_shop)
    embedded_shop.crm.keyring.erase(ANA.customer)
    embedded_shop.indexed()
    fold(embedded_shop)
    ((document,),) = embedded_shop.rows("SELECT document::json FROM read.customer")
    assert (document["company"], document["language"], document["external_id"]["id"]) == ("Zimbru SRL", "ro", "ana")
    assert (document["name"], document["phones"], document["emails"]) == (None, [], [])
    assert document["erased"]


def test_events_folded_before_and_after_an_erasure_come_out_as_if_all_were_read_after_it(embedded_shop: Shop) -> None:
    """The projector is behind when the erasure comes: half of the customer was folded in the clear."""
    capture(embedded_shop.crm, ANA)
    read_models(embedded_shop)
    with projector(embedded_shop, CUSTOMER) as one:
        one.step()
        embedded_shop.crm.handle(DECIDER, SetLanguage("ro"), key=ANA.customer, actor=ACTOR)
        embedded_shop.crm.keyring.erase(ANA.customer)
        embedded_shop.indexed()
        one._checked_leases = 0.0  # a second has passed
        while one.step():
            pass
    fold(embedded_shop)
    assert contents(embedded_shop) == from_zero(embedded_shop)


def test_a_process_that_holds_the_secret_in_memory_does_not_use_it_again(embedded_shop: Shop) -> None:
    """A retry or rebuild that follows is read with the keys of today, whatever this process once knew."""
    capture(embedded_shop.crm, ANA)
    other = embedded_shop.another()
    assert other.handler.load(DECIDER, (ANA.customer, ANA.customer)).state.name is not None
    other.progress.close()  # deaf: no notification of the erasure reaches it
    embedded_shop.crm.keyring.erase(ANA.customer)
    embedded_shop.indexed()
    read_models(embedded_shop)
    crm, embedded_shop.crm = embedded_shop.crm, other
    try:
        fold(embedded_shop, [IDENTITY, CUSTOMER])
    finally:
        embedded_shop.crm = crm
    assert not any(word in rows for rows in contents(embedded_shop, [IDENTITY, CUSTOMER]).values() for word in SAID_OF_ANA)


def test_an_erased_customer_who_is_parked_stays_parked_from_where_it_was(embedded_shop: Shop) -> None:
    capture(embedded_shop.crm, ANA)
    embedded_shop.crm.handle(DECIDER, SetLanguage("ro"), key=ANA.customer, actor=ACTOR)
    embedded_shop.rows("UPDATE index.event SET type = 'customer.knighted' WHERE version = 2")
    fold(embedded_shop)
    embedded_shop.crm.keyring.erase(ANA.customer)
    embedded_shop.indexed()
    fold(embedded_shop)
    assert embedded_shop.rows("SELECT version FROM read.customer") == [(1,)]
    assert contents(embedded_shop) == from_zero(embedded_shop)


def test_only_projections_that_hold_something_personal_are_redacted(embedded_shop: Shop) -> None:
    """The timeline and the ledger name no person; a projection that does must say in which tables (`redacts`)."""
    assert {projection.name for projection in PROJECTIONS if projection.redacts} == {"identity", "customer"}
    embedded_shop.crm.handle(DECIDER, CaptureCustomer(company="ACME"), key=UUID(int=5), actor=ACTOR)
    fold(embedded_shop)
    embedded_shop.crm.keyring.erase(UUID(int=5))
    embedded_shop.indexed()
    fold(embedded_shop)
    assert embedded_shop.rows("SELECT projection, owner FROM read.redacted ORDER BY 1") == [
        ("customer", UUID(int=5)),
        ("identity", UUID(int=5)),
    ]
