"""A clean shop verifies; whatever was changed in the log, the index or a read model is found and named."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from consumers.projecting import projector as projecting
from consumers.projecting.schema import reset
from consumers.verify import Report, verify
from consumers.verifying import index
from domain.customer import CUSTOMER, CaptureCustomer, CorrectCompany
from infra.log.contract import Outgoing
from projections.customer import CUSTOMER as DOCUMENTS
from projections.ledger import LEDGER
from projections.registry import PROJECTIONS
from tests.consumers.projecting.reading import fold, projector, write_history
from tests.infra.crm import ACTOR, D, F, Shop
from tests.infra.people import ANA, BOB, capture, purchase

SHOP_TABLES = [(projection.name, table.name) for projection in PROJECTIONS for table in projection.tables]


@pytest.fixture
def clean(embedded_shop: Shop) -> Shop:
    """A shop with a past, in which all is right: read by the indexer, folded by projectors, some of it refused."""
    write_history(embedded_shop, 60, seed=11)
    capture(embedded_shop.crm, ANA)
    embedded_shop.append(F, Outgoing(b"nobody", b"no envelope"))
    embedded_shop.indexed()
    fold(embedded_shop)
    return embedded_shop


def findings(shop: Shop) -> str:
    return "\n".join(verify(shop.crm).findings)


def schemas(shop: Shop) -> list[str]:
    return [row[0] for row in shop.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'verify%%'")]


def test_a_clean_shop_verifies_on_either_log(shop: Shop) -> None:
    write_history(shop, 40, seed=12)
    fold(shop)
    heard: list[tuple[str, int, int]] = []
    report = verify(shop.crm, lambda *told: heard.append(told))
    assert report.findings == []
    assert [one.partition for one in report.partitions] == ["d0", "d1", "f0", "f1", "f2"]
    assert all(one.ok and len(one.digest) == 64 for one in report.partitions)
    assert sum(one.next_offset for one in report.partitions) > 20
    assert [(one.projection, one.table) for one in report.tables] == SHOP_TABLES
    assert all(one.ok and len(one.digest) == len(one.content) == 64 for one in report.tables)
    assert {"reading decisions", "reading facts", "folding ledger"} <= {what for what, _, _ in heard}
    assert schemas(shop) == []


def test_the_digests_are_the_same_however_often_they_are_asked_for(clean: Shop) -> None:
    assert verify(clean.crm) == verify(clean.crm)


def test_one_changed_byte_in_the_log_is_found_and_named(clean: Shop) -> None:
    ((partition, offset),) = clean.rows(
        "SELECT partition, max(log_offset) FROM index.event WHERE topic = 'f' AND type = 'purchase.made' GROUP BY 1 LIMIT 1"
    )
    clean.rows(
        """UPDATE log.facts SET value = overlay(value PLACING 'x'::bytea FROM position('"shop"'::bytea IN value) + 1)
           WHERE partition = %s AND "offset" = %s""",
        partition,
        offset,
    )
    report = verify(clean.crm)
    assert [one.partition for one in report.partitions if not one.ok] == [f"f{partition}"]
    said = "\n".join(report.findings)
    assert f"Partition f{partition} of the log is not what the index has read" in said
    assert f"What stands at f{partition}:{offset} is not the same in index.event." in said


def test_a_changed_time_of_a_record_is_found(clean: Shop) -> None:
    clean.rows('UPDATE log.decisions SET timestamp = timestamp + 1 WHERE partition = 0 AND "offset" = 1')
    assert [one.partition for one in verify(clean.crm).partitions if not one.ok] == ["d0"]


def test_a_changed_header_is_found_though_nothing_of_it_is_in_the_index(clean: Shop) -> None:
    clean.rows("UPDATE log.decisions SET headers = overlay(headers PLACING 'X'::bytea FROM 9) WHERE partition = 0 AND \"offset\" = 1")
    report = verify(clean.crm)
    assert [one.partition for one in report.partitions if not one.ok] == ["d0"]
    assert "index.event" not in "\n".join(report.findings)


def test_a_record_gone_from_the_log_is_named_and_hides_no_other_partition(clean: Shop) -> None:
    clean.rows('DELETE FROM log.decisions WHERE partition = 0 AND "offset" = 3')
    report = verify(clean.crm)
    assert "The log has lost d0:3" in "\n".join(report.findings)
    assert [one.partition for one in report.partitions if not one.ok] == ["d0"]


def test_a_last_record_gone_from_the_log_is_named(clean: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "SILENT_POLLS", 2)
    ((end,),) = clean.rows("SELECT next FROM log.partition WHERE topic = 'decisions' AND partition = 0")
    clean.rows('DELETE FROM log.decisions WHERE partition = 0 AND "offset" = %s', end - 1)
    assert f"The log gives nothing at d0:{end - 1}, which the index has read." in verify(clean.crm).findings


def test_a_log_that_ends_too_soon_is_said(clean: Shop) -> None:
    ((end,),) = clean.rows("SELECT next FROM log.partition WHERE topic = 'facts' AND partition = 2")
    clean.rows('DELETE FROM log.facts WHERE partition = 2 AND "offset" = %s', end - 1)
    clean.rows("UPDATE log.partition SET next = next - 1 WHERE topic = 'facts' AND partition = 2")
    assert f"The log ends at f2:{end - 1}, but the index has read up to {end}: records are missing." in verify(clean.crm).findings


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE index.event SET data = data || ' ' WHERE topic = 'd' AND partition = 1 AND log_offset = 0", "not the same in index.event"),
        ("UPDATE index.event SET actor = 'user:eve' WHERE topic = 'd' AND partition = 1 AND log_offset = 0", "not the same in index.event"),
        ("DELETE FROM index.event WHERE topic = 'd' AND partition = 1 AND log_offset = 0", "d1:0 is missing in index.event"),
        (
            """CREATE TEMP TABLE forged AS SELECT * FROM index.event WHERE topic = 'd' AND partition = 1 AND log_offset = 0;
               UPDATE forged SET key = gen_random_uuid(); INSERT INTO index.event SELECT * FROM forged""",
            "d1:0 is not in the log but in index.event",
        ),
        (
            "UPDATE index.event SET log_offset = 1000000 WHERE topic = 'f' AND partition = 0 AND log_offset = 0",
            "f0:1000000 is not in the log but in index.event",
        ),
        ("UPDATE index.event SET partition = 99 WHERE topic = 'f' AND log_offset = 0", "f99:0 is not in the log but in index.event"),
        ("UPDATE index.refused SET reason = 'because' WHERE topic = 'f'", "not the same in index.refused"),
        ("DELETE FROM index.refused WHERE topic = 'f'", "is missing in index.refused"),
        ("UPDATE index.checkpoint SET digest = sha256('x') WHERE topic = 'f' AND partition = 1", "Partition f1 of the log is not what"),
        (
            "DELETE FROM index.encryption_key WHERE id = (SELECT min(id::text)::uuid FROM index.encryption_key)",
            "is missing in index.encryption",
        ),
        ("UPDATE index.encryption_key SET wrapped = NULL", "is not the same in index.encryption_key"),
        (
            "INSERT INTO index.encryption_key VALUES (gen_random_uuid(), gen_random_uuid(), 'x')",
            "is not in the log but in index.encryption",
        ),
    ],
)
def test_a_row_of_the_index_that_was_changed_deleted_or_added_is_named(clean: Shop, change: str, said: str) -> None:
    clean.stop_indexing()
    clean.rows(change)
    assert said in findings(clean)


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("ledger_total", "UPDATE read.ledger_total SET value = value + 0.01 WHERE customer = %s", "customer {} is not what the log says"),
        ("customer", "DELETE FROM read.customer WHERE customer = %s", "customer {} is missing"),
        ("identity_known", "INSERT INTO read.identity_known VALUES (%s, now())", "customer {} should not be there"),
        ("identity_handle", "UPDATE read.identity_handle SET line = 'fax' WHERE customer = %s", "customer {}, since_version 1 is not what"),
        ("timeline_entry", "UPDATE read.timeline_entry SET active = NOT active WHERE customer = %s", "is not what the log says"),
    ],
)
def test_a_row_of_a_read_model_that_was_changed_deleted_or_added_is_named(clean: Shop, table: str, change: str, said: str) -> None:
    ((somebody,),) = clean.rows("SELECT customer FROM read.ledger_total LIMIT 1")
    customer = {"ledger_total": somebody, "identity_known": UUID(int=99)}.get(table, ANA.customer)
    clean.rows(change, customer)
    report = verify(clean.crm)
    assert [one.table for one in report.tables if not one.ok] == [table]
    assert said.format(customer) in "\n".join(report.findings)
    assert "40722123456" not in "\n".join(report.findings), "a finding names ids, and no number"


def test_a_server_that_goes_on_meanwhile_does_no_harm(embedded_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are decided, projectors fold, a read model is made anew: what is verified was fixed at the beginning."""
    monkeypatch.setattr(projecting, "BATCH_OFFSETS", 5)
    write_history(embedded_shop, 60, seed=13)
    fold(embedded_shop)
    stop = threading.Event()
    running = [projector(embedded_shop, projection, lease=True) for projection in PROJECTIONS]
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in running]
    capture(embedded_shop.crm, BOB)

    def go_on() -> None:
        number = 0
        while not stop.is_set():
            embedded_shop.crm.handle(CUSTOMER, CorrectCompany(f"ACME {number}"), key=BOB.customer, actor=ACTOR)
            number += 1
            if number == 5:
                with embedded_shop.crm.pool.transaction() as cursor:
                    reset(cursor, LEDGER)

    threads.append(threading.Thread(target=go_on))
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            assert verify(embedded_shop.crm).findings == []
    finally:
        stop.set()
        for one in running:
            one.moved.set()
        for thread in threads:
            thread.join()


def test_a_read_model_that_is_behind_is_verified_as_far_as_it_has_come(clean: Shop) -> None:
    clean.crm.handle(CUSTOMER, CaptureCustomer(company="Late"), key=UUID(int=77), actor=ACTOR)
    with projector(clean, DOCUMENTS) as one:
        while one.step():
            pass
    assert verify(clean.crm).findings == []


def failing_on(customer: UUID) -> object:
    def fold_badly(batch: object, tables: object) -> None:
        DOCUMENTS.fold(batch, tables)  # type: ignore[arg-type]
        if any(recorded.stream == customer and recorded.version == 2 for recorded in batch):  # type: ignore[attr-defined]
            raise KeyError

    return fold_badly


def test_a_parked_key_is_no_difference_but_one_that_could_be_folded_is_said(embedded_shop: Shop) -> None:
    capture(embedded_shop.crm, ANA)
    embedded_shop.crm.handle(CUSTOMER, CorrectCompany("Two"), key=ANA.customer, actor=ACTOR)
    embedded_shop.crm.handle(CUSTOMER, CorrectCompany("Three"), key=ANA.customer, actor=ACTOR)
    fold(embedded_shop, [replace(DOCUMENTS, fold=failing_on(ANA.customer))])  # type: ignore[arg-type]
    fold(embedded_shop)
    report = verify(embedded_shop.crm)
    assert all(one.ok for one in report.tables)
    (said,) = report.findings
    assert f"customer has set the key {ANA.customer} aside" in said
    assert said.endswith("run `crm parked retry`.")
    with projector(embedded_shop, DOCUMENTS) as one:
        assert one.retry(ANA.customer)
    assert verify(embedded_shop.crm).findings == []


def test_a_key_that_is_rightly_parked_verifies(embedded_shop: Shop) -> None:
    capture(embedded_shop.crm, ANA)
    write_unknown(embedded_shop)
    fold(embedded_shop)
    assert embedded_shop.rows("SELECT count(*) FROM read.parked") == [(3,)]
    assert verify(embedded_shop.crm).findings == []


def write_unknown(shop: Shop) -> None:
    from tests.consumers.projecting.test_parking import raw

    shop.append(D, raw(ANA.customer, 2, "customer.knighted", {"title": "Sir"}))
    shop.indexed()


def test_whom_a_read_model_still_shows_though_erased_is_said_until_it_is_redacted(embedded_shop: Shop) -> None:
    capture(embedded_shop.crm, ANA)
    fold(embedded_shop)
    embedded_shop.crm.keyring.erase(ANA.customer)
    embedded_shop.indexed()
    assert "Somebody was erased and still stands in the read model identity" in findings(embedded_shop)
    fold(embedded_shop)
    assert verify(embedded_shop.crm).findings == []


def test_the_scratch_tables_go_whatever_happens(clean: Shop) -> None:
    def interrupted(what: str, done: int, total: int) -> None:
        if what == "reading facts":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(clean.crm, interrupted)
    assert schemas(clean) == []


def test_what_a_killed_run_left_is_removed_and_what_another_one_uses_is_not(clean: Shop) -> None:
    clean.rows("CREATE SCHEMA verify_0123456789ab_index; CREATE SCHEMA verify_0123456789ab_read")
    inner: list[Report] = []

    def meanwhile(what: str, done: int, total: int) -> None:
        if what == "folding identity" and not inner:
            inner.append(verify(clean.crm))

    assert verify(clean.crm, meanwhile).findings == []
    assert inner[0].findings == []
    assert schemas(clean) == []


def test_a_shop_without_a_past_verifies(embedded_shop: Shop, tmp_path: Path) -> None:
    fold(embedded_shop)
    report = verify(embedded_shop.crm)
    assert report.findings == []
    assert all(one.digest == "00" * 32 for one in report.partitions)


def test_facts_and_decisions_of_one_customer_verify_together(embedded_shop: Shop) -> None:
    capture(embedded_shop.crm, ANA)
    fact = purchase("o1", customer={"external_id": "ana"})
    embedded_shop.crm.facts(ACTOR).append([(fact.report.key, fact.report.stream, 1, fact.event, fact.time)])
    embedded_shop.indexed()
    fold(embedded_shop)
    assert verify(embedded_shop.crm).findings == []
