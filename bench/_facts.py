"""Facts a second: until durable, until indexed, until in every read model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from bench._bare_path import BareTopic, pour
from bench._report import Row
from bench._shop import Shop, record
from bench._sizes import Sizes
from bench._timing import processor_seconds, wait_until

DURABLE_AIM = {"embedded": 20_000, "kafka": 15_000}


def measure_facts(shop: Shop, bare: BareTopic, sizes: Sizes, size: int) -> list[Row]:
    """The read models rest while facts are recorded and indexed, for the bare path has none; then they catch up."""
    shop.wait_until_folded()
    rounds: dict[str, list[float]] = {name: [] for name in ("read", "bare durable", "bare indexed", "durable", "indexed")}
    used = 0.0
    with resting(shop):
        for _ in range(sizes.fact_rounds):
            bare_round(bare, sizes, rounds)
            used += our_round(shop, sizes.facts, rounds)
        recorded = sizes.fact_rounds * sizes.facts
        begin, cpu = time.perf_counter(), processor_seconds(shop.projectors.pid)
    shop.wait_until_folded()
    folded = recorded / (time.perf_counter() - begin)
    cpu = processor_seconds(shop.projectors.pid) - cpu
    found = {name: median(rates) for name, rates in rounds.items()}
    log = shop.settings.log
    return [
        Row("facts read from their outside shape", log, "/s", found["read"], note="one process, checks and ids"),
        Row(
            "facts until durable", log, "/s", found["durable"], found["bare durable"], at_least=DURABLE_AIM[log], note=f"{size} bytes each"
        ),
        Row(
            "facts until indexed", log, "/s", found["indexed"], found["bare indexed"], ratio_at_least=0.6,
            note=f"indexer: {used / recorded * 1e6:.0f} us CPU each; read models rest",
        ),
        Row("facts into all read models", log, "/s", folded, note=f"catching up; {cpu / recorded * 1e6:.0f} us CPU each"),
    ]  # fmt: skip


@contextmanager
def resting(shop: Shop) -> Iterator[None]:
    """Without the read models."""
    shop.rest_projectors()
    try:
        yield
    finally:
        shop.wake_projectors()


def bare_round(bare: BareTopic, sizes: Sizes, rounds: dict[str, list[float]]) -> None:
    """The bare path once."""
    end = bare.indexed() + sizes.facts
    begin = time.perf_counter()
    pour(bare.wire, sizes.facts, bare.size)
    rounds["bare durable"].append(rate_since(begin, sizes.facts))
    wait_until(lambda: bare.indexed() >= end, 600, "the bare path's indexer")
    rounds["bare indexed"].append(rate_since(begin, sizes.facts))


def our_round(shop: Shop, amount: int, rounds: dict[str, list[float]]) -> float:
    """Ours once; the indexer's seconds of processor."""
    begin = time.perf_counter()
    facts = shop.facts(amount)
    rounds["read"].append(rate_since(begin, amount))
    indexer = shop.workers[1].pid
    cpu = processor_seconds(indexer)
    begin = time.perf_counter()
    record(shop.crm, facts)
    rounds["durable"].append(rate_since(begin, amount))
    shop.wait_until_indexed()
    rounds["indexed"].append(rate_since(begin, amount))
    return processor_seconds(indexer) - cpu


def rate_since(begin: float, amount: int) -> float:
    """A second."""
    return amount / (time.perf_counter() - begin)
