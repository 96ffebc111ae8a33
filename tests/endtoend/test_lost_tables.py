"""What is not the log can be thrown away, wholly or in part, and comes back the same."""

from __future__ import annotations

import shutil

import pytest

from projections.registry import PROJECTIONS
from tests.endtoend.conftest import Make
from tests.endtoend.installation import Installation
from tests.endtoend.served import served
from tests.endtoend.shop import ShopFile
from tests.faults import quick_folder, wait_until


def test_on_kafka_postgresql_may_be_lost_altogether(on_kafka: Installation, shop: ShopFile, shop_import: tuple[object, ...]) -> None:
    on_kafka.imports(*shop_import)
    on_kafka.project()
    before = on_kafka.full()
    shutil.rmtree(on_kafka.data / "postgres")
    come_back(on_kafka)
    assert on_kafka.full() == before
    assert on_kafka.total() == shop.total

    elsewhere = on_kafka.with_(CRM_DATA=str(quick_folder("annals-other-")))
    try:
        come_back(elsewhere)
        assert elsewhere.full() == before
    finally:
        elsewhere.close()


def test_on_the_embedded_log_index_and_read_models_may_be_dropped(
    embedded: Installation, shop: ShopFile, shop_import: tuple[object, ...]
) -> None:
    embedded.imports(*shop_import)
    embedded.project()
    before = embedded.full()
    embedded.ask("DROP SCHEMA index, read CASCADE")
    again = embedded.imports(*shop_import)
    assert (again["recorded"], again["known"]) == (0, shop.events)
    embedded.project()
    assert embedded.full() == before


@pytest.mark.parametrize("name", [projection.name for projection in PROJECTIONS])
def test_a_read_model_built_anew_is_the_same(filled: Installation, name: str) -> None:
    before = filled.full()
    assert filled.crm("rebuild", "--json", name).json["projection"] == name
    assert filled.full() == before


def test_beside_a_running_server_read_models_come_back(make: Make, filled: Installation) -> None:
    before = filled.full()
    with served(filled):
        for projection in PROJECTIONS:
            filled.crm("rebuild", projection.name)
            assert filled.full() == before, projection.name
        filled.ask("DROP SCHEMA read CASCADE")
        wait_until(filled.is_projected, 60, what="the read models that were dropped")
        assert filled.full() == before
        tables = [table.name for projection in PROJECTIONS for table in projection.tables]
        filled.ask(f"DROP TABLE {', '.join(f'read.{name}' for name in tables)}")
        wait_until(lambda: stands(filled, tables) and filled.is_projected() and filled.full() == before, 60, what="the dropped tables")
    assert filled.ask("SELECT count(*) FROM read.parked") == [(0,)]


def stands(one: Installation, tables: list[str]) -> bool:
    query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'read' AND tablename = ANY(%s)"
    return one.ask(query, tables) == [(len(tables),)]


def come_back(one: Installation) -> None:
    """Whatever runs next reads the log again."""
    with one.running("project"):
        wait_until(one.is_caught_up, 120, what="index and read models")
