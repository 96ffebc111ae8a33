"""Alive, ready, and figures: over a real Crm on either log."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.main import make_app
from consumers.projecting.schema import create_read_models
from infra.log.contract import Outgoing
from projections.registry import PROJECTIONS
from tests.infra.crm import F, Shop, settings, shop

__all__ = ["settings", "shop"]


@pytest.fixture
def client(shop: Shop) -> TestClient:
    with shop.crm.pool.transaction() as cursor:
        create_read_models(cursor, shop.crm.log, PROJECTIONS)
    return TestClient(make_app(shop.crm))


def test_a_process_that_answers_is_alive(client: TestClient) -> None:
    with client:
        assert client.get("/healthz").json() == {"status": "alive"}


def test_an_empty_shop_is_ready(client: TestClient) -> None:
    with client:
        assert client.get("/readyz").status_code == 200


def test_a_partition_that_waits_for_newer_software_is_not_ready(client: TestClient, shop: Shop) -> None:
    with client, shop.crm.pool.transaction() as cursor:
        cursor.execute("UPDATE index.checkpoint SET stopped = 'format 2 at f0:0: upgrade Annals' WHERE topic = 'f' AND partition = 0")
        cursor.connection.commit()
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "format 2 at f0:0: upgrade Annals"


def test_metrics_count_what_is_behind_and_what_was_refused(client: TestClient, shop: Shop) -> None:
    shop.append(F, Outgoing(b"no envelope", b"nonsense"))
    shop.indexed()
    with client:
        figures = {
            (sample.name, sample.labels.get("reader")): sample.value
            for family in text_string_to_metric_families(client.get("/metrics").text)
            for sample in family.samples
        }
    assert figures["annals_refused_commits", None] == 1
    assert figures["annals_lag_records", "index"] == 0
    assert figures["annals_lag_records", "ledger"] == 1, "no projector runs here, so it is one record behind"
