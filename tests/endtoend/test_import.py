"""A file goes in once, however often it comes, and out again; on either log the same."""

from __future__ import annotations

from pathlib import Path

from tests.endtoend.conftest import Make
from tests.endtoend.installation import Installation
from tests.endtoend.shop import ShopFile, in_other_order


def counts(answer: dict[str, int]) -> tuple[int, int, int, int]:
    assert answer["read"] == answer["recorded"] + answer["known"] + answer["rejected"]
    return answer["read"], answer["recorded"], answer["known"], answer["rejected"]


def test_a_file_is_recorded_once_and_can_be_undone_and_come_again(
    installation: Installation, shop: ShopFile, shop_import: tuple[object, ...]
) -> None:
    events = shop.events
    with installation.server():
        tried = installation.imports("--dry-run", *shop_import)
        assert (counts(tried), tried["dry_run"]) == ((events, events, 0, 0), True)
        first = installation.imports(*shop_import)
        assert counts(first) == (events, events, 0, 0)
        assert first["customers"] == {"met": len(shop.customers), "recorded": len(shop.customers), "known": 0, "rejected": 0}
        again = installation.imports(*shop_import)
        assert counts(again) == (events, 0, events, 0)
        assert again["customers"]["known"] == len(shop.customers)

        undone = installation.crm("undo-import", "--json", first["batch"]).json
        assert (undone["withdrawn"], undone["withdrawn_before"]) == (events, 0)
        assert len(undone["customers_with_nothing_left"]) == len(shop.customers)
        assert installation.total() == 0
        twice = installation.crm("undo-import", "--json", first["batch"]).json
        assert (twice["withdrawn"], twice["withdrawn_before"]) == (0, events)

        anew = installation.imports(*shop_import)
        assert counts(anew) == (events, events, 0, 0)
        installation.project()
        assert installation.total() == shop.total


def test_a_corrected_file_replaces_what_was_withdrawn(
    embedded: Installation, shop: ShopFile, shop_import: tuple[object, ...], tmp_path: Path
) -> None:
    corrected = ShopFile([{**line, "price": "1.99"} if number % 9 == 0 else line for number, line in enumerate(shop.lines)])
    assert corrected.total != shop.total
    path = corrected.write(tmp_path / "corrected.csv")
    with embedded.server():
        wrong = embedded.imports(*shop_import)
        embedded.crm("undo-import", wrong["batch"])
        right = embedded.imports(path, *shop_import[1:])
        assert counts(right) == (shop.events, shop.events, 0, 0)
        embedded.project()
        assert embedded.total() == corrected.total
        by_customer = embedded.ask("SELECT sum(value) FROM read.ledger_total")[0][0]
        assert by_customer == corrected.total_with_customer


def test_the_order_of_rows_and_the_number_of_files_do_not_matter(
    filled: Installation, shop: ShopFile, shop_import: tuple[object, ...], tmp_path: Path
) -> None:
    before = filled.full()
    shuffled = ShopFile(in_other_order(shop.lines)).write(tmp_path / "shuffled.csv")
    half = len(shop.lines) // 2
    parts = [ShopFile(shop.lines[:half]).write(tmp_path / "a.csv"), ShopFile(shop.lines[half:]).write(tmp_path / "b.csv")]
    for files in ([shuffled], parts):
        assert counts(filled.imports(*files, *shop_import[1:])) == (shop.events, 0, shop.events, 0)
    assert filled.full() == before


def test_both_logs_give_the_same_answers(filled_on: Make, shop: ShopFile) -> None:
    embedded, kafka = filled_on("embedded"), filled_on("kafka")
    assert embedded.total() == kafka.total() == shop.total
    assert embedded.content() == kafka.content()
    assert len(set(embedded.content().values())) > 3, "tables that hold nothing are equal too"
