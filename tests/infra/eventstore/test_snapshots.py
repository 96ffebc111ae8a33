"""Long streams load from a snapshot; one of an older fold is not seen; what cannot be read is said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from domain.customer import CUSTOMER, AddPhone, CaptureCustomer, CorrectCompany, Customer
from domain.deciders import DECIDERS
from domain.phone import Phone, PhoneNumber
from infra.eventstore import snapshots
from infra.eventstore.numbered import StateSnapshot
from infra.eventstore.snapshots import snapshot_topic, state_classes
from infra.handler import StreamUnreadable
from infra.log.contract import Outgoing, Topic
from tests.infra.crm import ACTOR, D, Shop
from tests.infra.people import ANA, CAPTURE, capture, captured


def renamed(shop: Shop, key: UUID, first: int, last: int) -> None:
    """Companies named `first` to `last`, one commit each, all appended at once."""
    events = [
        {"stream": str(key), "version": n, "type": "customer.company_corrected", "schema": 1, "occurred_at": "2026-11-22T10:00:00Z",
         "data": {"company": f"Zimbru {n}"}}
        for n in range(first, last + 1)
    ]  # fmt: skip
    bodies = [{"format": 1, "id": str(uuid4()), "key": str(key), "reads": {}, "events": [event]} for event in events]
    shop.append(D, *(Outgoing(str(key).encode(), orjson.dumps(body)) for body in bodies))
    shop.indexed()


def events_read(shop: Shop, key: UUID, monkeypatch: pytest.MonkeyPatch) -> tuple[Customer, int]:
    """What a load comes to, and how many events it read."""
    recorder = shop.crm.handler.write_sides[Topic.DECISIONS].events.recorder
    select, counts = recorder.select_events, [0]

    def count(*arguments: Any, **options: Any) -> Any:
        found = select(*arguments, **options)
        counts.append(len(found))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(recorder, "select_events", count)
        loaded = shop.crm.handler.load(CUSTOMER, (key, key))
    return loaded.state, sum(counts)


def test_a_stream_of_250_events_loads_through_a_snapshot(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    key = captured(shop.crm)
    for last in (99, 199):
        renamed(shop, key, last - 97, last)
        if last == 99:
            shop.crm.handle(CUSTOMER, CorrectCompany("passes a hundred"), key=key, actor=ACTOR)
            renamed(shop, key, 101, 101)
    shop.crm.handle(CUSTOMER, CorrectCompany("passes two hundred"), key=key, actor=ACTOR)
    renamed(shop, key, 201, 250)
    assert shop.rows("SELECT version FROM index.snapshot ORDER BY 1") == [(100,), (200,)]
    state, read = events_read(shop, key, monkeypatch)
    assert (state.company, read) == ("Zimbru 250", 50)


def test_a_snapshot_is_the_state_that_the_events_fold_to(embedded_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = embedded_shop.crm
    capture(crm, ANA)
    renamed(embedded_shop, ANA.customer, 2, 99)
    crm.handle(CUSTOMER, AddPhone(Phone(PhoneNumber.parse("0733 123 456", "RO"))), key=ANA.customer, actor=ACTOR)
    from_snapshot, read = events_read(embedded_shop, ANA.customer, monkeypatch)
    assert read == 0
    embedded_shop.rows("DELETE FROM index.snapshot")
    folded, read = events_read(embedded_shop, ANA.customer, monkeypatch)
    assert read == 100
    assert from_snapshot == folded
    assert len(folded.phones) == 2
    assert folded.name == CAPTURE[ANA].name


def test_a_snapshot_of_an_older_fold_is_not_used(embedded_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    key = captured(embedded_shop.crm)
    renamed(embedded_shop, key, 2, 3)
    old = StateSnapshot(
        (key, key), 3, "snapshot:customer:0123456789abcdef", Customer(company="of an older fold"), datetime(2026, 11, 22, tzinfo=UTC)
    )
    embedded_shop.crm.handler.write_sides[Topic.DECISIONS].snapshots.put([old])  # type: ignore[union-attr]
    state, read = events_read(embedded_shop, key, monkeypatch)
    assert (state.company, read) == ("Zimbru 3", 3)


def test_the_fingerprint_changes_with_any_module_of_the_domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value object within a state is folded and stored with it, wherever it stands."""
    (tmp_path / "phone.py").write_text("x = 1")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "held.py").write_text("y = 1")
    monkeypatch.setattr(snapshots, "files", lambda _package: tmp_path)
    found = {snapshots.fingerprint.__wrapped__()}
    for changed in ("phone.py", "deeper/held.py"):
        (tmp_path / changed).write_text("changed")
        found.add(snapshots.fingerprint.__wrapped__())
    assert len(found) == 3
    (tmp_path / "notes.txt").write_text("no code")
    assert snapshots.fingerprint.__wrapped__() in found


def test_every_decider_has_snapshots_of_its_own() -> None:
    assert {snapshot_topic(decider): type(decider.initial) for decider in DECIDERS} == state_classes()
    assert len(state_classes()) == len(DECIDERS)


ANOTHER = str(uuid4())
UNREADABLE = [
    ("an unknown type", {"type": "customer.abducted"}, "the event type customer.abducted is not known"),
    ("no type", {"type": 7}, "the event type"),
    ("the name of a snapshot", {"type": "snapshot:customer:0123456789abcdef"}, "is not known"),
    ("the name of a snapshot of today", {"type": snapshot_topic(CUSTOMER)}, "is not known"),
    ("a schema of the future", {"schema": 2}, "schema 2 of customer.company_corrected is not known"),
    ("no schema", {"schema": "1"}, "schema None of customer.company_corrected is not known"),
    ("no time", {"occurred_at": "yesterday"}, "the time of version 2 cannot be read"),
    ("data that is none", {"data": [1]}, "is no object"),
    ("a field missing", {"type": "external_id.linked", "data": {}}, "is missing"),
    (
        "an event of another kind of stream",
        {"type": "customer.merged", "data": {"into": ANOTHER}},
        "customer.merged, cannot be folded",
    ),
    ("a field in the clear that is personal", {"type": "customer.name_corrected", "data": {"name": {"given": "Zoe"}}}, "is not known"),
]


@pytest.mark.parametrize(("changes", "sentence"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
def test_an_event_that_cannot_be_read_is_said_in_a_sentence(embedded_shop: Shop, changes: dict[str, Any], sentence: str) -> None:
    key = captured(embedded_shop.crm)
    event = {"stream": str(key), "version": 2, "type": "customer.company_corrected", "schema": 1, "occurred_at": "2026-11-22T10:00:00Z",
             "data": {"company": "Secret Zoe"}} | changes  # fmt: skip
    body = {"format": 1, "id": str(uuid4()), "key": str(key), "reads": {}, "events": [event]}
    embedded_shop.append(D, Outgoing(str(key).encode(), orjson.dumps(body)))
    embedded_shop.indexed()
    with pytest.raises(StreamUnreadable) as caught:
        embedded_shop.crm.handle(CUSTOMER, CaptureCustomer(company="x"), key=key, actor=ACTOR)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith("; look at `crm parked`.")
    assert "Zoe" not in str(caught.value)
