"""An import that is killed at any moment and started again comes to the same as one that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.endtoend.conftest import Make
from tests.endtoend.installation import Installation, processes_of
from tests.endtoend.shop import ShopFile
from tests.faults import wait_until

KILLS = 3
SOAK_KILLS = 25
LATEST_SECONDS = 5.0
"""A kill comes up to so many seconds after the start: before the first record and while it is recording."""


@pytest.mark.parametrize("log", ["embedded", "kafka"])
def test_a_killed_import_goes_on_where_it_stopped(
    make: Make, filled_on: Make, log: str, shop: ShopFile, shop_import: tuple[object, ...]
) -> None:
    disturbed = make(log)
    draw = random.Random(f"kills {log}")
    last = import_with_kills(disturbed, shop_import, KILLS, draw)
    assert last["read"] == last["recorded"] + last["known"] == shop.events
    disturbed.project()
    assert disturbed.total() == shop.total
    assert disturbed.content() == filled_on(log).content()
    assert disturbed.ask("SELECT count(*), count(DISTINCT subject) FROM read.ledger_entry") == [(shop.events, shop.events)]


@pytest.mark.soak
@pytest.mark.data
@pytest.mark.parametrize("log", ["embedded", "kafka"])
def test_a_killed_import_of_real_data_goes_on_where_it_stopped(make: Make, log: str, shared_data: Path) -> None:
    mapping = Path(__file__).parents[2] / "examples" / "mappings" / "online_retail.toml"
    arguments = (shared_data / "purchases_online_retail" / "online_retail.csv.gz", "--mapping", mapping)
    quiet, disturbed = make(log), make(log)
    quiet.imports(*arguments, seconds=1500)
    quiet.project()
    import_with_kills(disturbed, arguments, SOAK_KILLS, random.Random(f"soak {log}"), latest=60.0)
    disturbed.project()
    assert disturbed.total() == quiet.total()
    assert disturbed.content() == quiet.content()


def import_with_kills(
    one: Installation, arguments: Sequence[object], kills: int, draw: random.Random, latest: float = LATEST_SECONDS
) -> dict[str, int]:
    """Kill it so often, each time at another moment and once the main process alone, once its whole group; the last run's counts."""
    killed = 0
    for number in range(kills):
        process = one.start("import", "--json", *arguments)
        try:
            process.communicate(timeout=draw.uniform(0.2, latest))
            latest /= 2  # this machine is quicker than we thought
        except subprocess.TimeoutExpired:
            kill = os.kill if number % 2 else os.killpg
            kill(process.pid, signal.SIGKILL)
            process.communicate()
            killed += 1
        wait_until(lambda: not workers_of(one.data), 15, what="the workers of a killed import to end")
    assert killed, "every import had ended before its kill"
    return one.imports(*arguments, seconds=1500)


def workers_of(data: Path) -> list[str]:
    """What lives and is no PostgreSQL: that one is adopted by whoever comes next."""
    return [command for command in processes_of(data).values() if "postgres" not in command.split(" ")[0]]
