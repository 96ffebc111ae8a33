"""Puts the HTTP process together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from api import health
from infra.crm import Crm

ROUTERS = (health.router,)


def make_app(crm: Crm) -> FastAPI:
    """The application over an opened Crm, which the caller closes."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.crm = crm
        yield

    app = FastAPI(title="Annals", version=version("annals"), summary="An event-sourced CRM.", lifespan=lifespan)
    for router in ROUTERS:
        app.include_router(router)
    return app
