"""Installations on both logs: empty ones for each test, and one that holds the small shop for tests that leave it as it was."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import pytest

from tests.endtoend.installation import Installation
from tests.endtoend.shop import MAPPING, ShopFile, small_shop
from tests.faults import Broker, quick_folder

LOGS = ("embedded", "kafka")

Make = Callable[[str], Installation]


@pytest.fixture(scope="session")
def shop() -> ShopFile:
    return small_shop()


@pytest.fixture(scope="session")
def shop_folder(shop: ShopFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """shop.csv and shop.toml."""
    folder = tmp_path_factory.mktemp("shop")
    shop.write(folder / "shop.csv")
    (folder / "shop.toml").write_text(MAPPING, "utf-8")
    return folder


@pytest.fixture(scope="session")
def shop_import(shop_folder: Path) -> tuple[object, ...]:
    """What `crm import` is given for the whole shop."""
    return (shop_folder / "shop.csv", "--mapping", shop_folder / "shop.toml")


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes empty installations of this test's own."""
    with ExitStack() as stack:
        yield lambda log: _made(log, request, stack)


@pytest.fixture(params=LOGS)
def installation(request: pytest.FixtureRequest, make: Make) -> Installation:
    """An empty one on either log."""
    return make(request.param)


@pytest.fixture
def embedded(make: Make) -> Installation:
    return make("embedded")


@pytest.fixture
def on_kafka(make: Make) -> Installation:
    return make("kafka")


@pytest.fixture(scope="session")
def filled_on(request: pytest.FixtureRequest, shop_import: tuple[object, ...]) -> Iterator[Make]:
    """The shop imported once a log; PostgreSQL is held open, so that commands need not start it each time."""
    kept: dict[str, Installation] = {}
    with ExitStack() as stack:

        def filled(log: str) -> Installation:
            if log not in kept:
                one = _made(log, request, stack)
                stack.enter_context(one.server())
                one.imports(*shop_import)
                one.project()
                kept[log] = one
            return kept[log]

        yield filled


@pytest.fixture(params=LOGS)
def filled(request: pytest.FixtureRequest, filled_on: Make) -> Installation:
    """One on either log that holds the small shop, folded; a test leaves it so."""
    return filled_on(request.param)


@pytest.fixture
def filled_embedded(filled_on: Make) -> Installation:
    return filled_on("embedded")


@pytest.fixture
def filled_kafka(filled_on: Make) -> Installation:
    return filled_on("kafka")


def _made(log: str, request: pytest.FixtureRequest, stack: ExitStack) -> Installation:
    work = Path(mkdtemp(prefix="annals-work-"))
    stack.callback(shutil.rmtree, work, ignore_errors=True)
    environment = {"CRM_DATA": str(quick_folder("annals-shop-")), "CRM_REGION": "RO", "CRM_MASTER_KEY": secrets.token_hex(32)}
    environment |= {"CRM_DECISION_PARTITIONS": "2", "CRM_FACT_PARTITIONS": "3"}  # few, so that a broker makes them quickly
    if log == "kafka":
        broker: Broker = request.getfixturevalue("broker")
        environment |= {"CRM_LOG": "kafka", "CRM_KAFKA": broker.address, "CRM_PREFIX": f"t{uuid4().hex[:10]}"}
    one = Installation(work, environment)
    stack.callback(one.close)
    return one
