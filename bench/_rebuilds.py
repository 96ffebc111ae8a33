"""Events a second of each projection, made anew from event zero."""

from __future__ import annotations

import time

from bench._report import Row
from bench._shop import Shop
from bench._timing import processor_seconds
from projections.registry import PROJECTIONS

REBUILD_AIM = 60_000


def measure_rebuilds(shop: Shop) -> list[Row]:
    """One after the other, each alone in the process of the read models, as `crm rebuild` does it."""
    rows = []
    shop.wait_until_folded()
    for projection in PROJECTIONS:
        cpu = processor_seconds(shop.projectors.pid)
        begin = time.perf_counter()
        total = shop.reset(projection)
        shop.wait_until_folded([projection])
        rate = total / (time.perf_counter() - begin)
        cpu = processor_seconds(shop.projectors.pid) - cpu
        note = f"{total:,} events, {cpu / total * 1e6:.0f} us CPU each"
        rows.append(Row(f"rebuild of {projection.name}", shop.settings.log, "/s", rate, at_least=REBUILD_AIM, note=note))
    return rows
