"""Alive, caught up and able to write, and figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from infra.crm import Crm
from infra.lag import Lag, all_lags, refused_count, stopped_partitions
from infra.log.contract import LogError
from projections.registry import PROJECTIONS

READY_SECONDS = 30.0
"""A read model that is further behind is not ready to be asked."""

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Alive")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz", summary="Caught up and able to write", responses={503: {"description": "Not ready; `detail` says why."}})
def readyz(request: Request) -> JSONResponse:
    """200 when log and database answer, no partition waits for newer software, and no read model is far behind."""
    problem = _problem(request.app.state.crm)
    if problem is None:
        return JSONResponse({"status": "ready"})
    body = {"type": "about:blank", "title": "Not ready", "status": 503, "detail": problem}
    return JSONResponse(body, 503, media_type="application/problem+json")


def _problem(crm: Crm) -> str | None:
    try:
        with crm.pool.transaction() as cursor:
            lags, stopped = _lags(crm, cursor), stopped_partitions(cursor)
    except LogError as error:
        return str(error)
    except psycopg2.Error:
        return "PostgreSQL does not answer."
    late = [lag for lag in lags if lag.seconds > READY_SECONDS]
    if late:
        return f"{late[0].reader} is {late[0].seconds:.0f} seconds and {late[0].records} records behind."
    return stopped[0] if stopped else None


def _lags(crm: Crm, cursor: psycopg2.extensions.cursor) -> list[Lag]:
    return all_lags(cursor, crm.log, [projection.name for projection in PROJECTIONS])


@router.get("/metrics", summary="Prometheus text", response_class=Response)
def metrics(request: Request) -> Response:
    """Lag of each reader, parked keys, refused commits."""
    registry = CollectorRegistry()
    registry.register(_Figures(request.app.state.crm))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Figures(Collector):
    """Asked anew at each scrape: nothing to keep in step."""

    def __init__(self, crm: Crm) -> None:
        self.crm = crm

    def collect(self) -> Iterator[Metric]:
        with self.crm.pool.transaction() as cursor:
            lags, refused, stopped = _lags(self.crm, cursor), refused_count(cursor), stopped_partitions(cursor)
        records = GaugeMetricFamily("annals_lag_records", "Records of the log that a reader has not read", labels=["reader"])
        seconds = GaugeMetricFamily("annals_lag_seconds", "Age of the oldest record that a reader has not read", labels=["reader"])
        parked = GaugeMetricFamily("annals_parked_keys", "Keys that a read model has set aside", labels=["reader"])
        for lag in lags:
            records.add_metric([lag.reader], lag.records)
            seconds.add_metric([lag.reader], lag.seconds)
            parked.add_metric([lag.reader], lag.parked)
        yield from (records, seconds, parked)
        yield GaugeMetricFamily("annals_refused_commits", "Commits in the log that the acceptance rule refused", refused)
        yield GaugeMetricFamily("annals_stopped_partitions", "Partitions that wait for newer software", len(stopped))
