"""Screen pops a second, from the read models, over a connection of the pool."""

from __future__ import annotations

from bench._report import Row
from bench._shop import Shop
from bench._sizes import Sizes
from bench._timing import Timings, together


def measure_pops(shop: Shop, sizes: Sizes) -> list[Row]:
    """By telephone number: two queries, and the answer made into what a page needs."""
    rows = []
    for writers in (1, 8):
        timings = Timings()
        for _ in range(sizes.rounds):
            together(writers, sizes.alone if writers == 1 else sizes.among, shop.pop, timings)
        who = f"screen pop, {writers} at once"
        rows.append(Row(who, shop.settings.log, "/s", timings.rate, note=f"p50 {timings.p50:.1f} ms, p99 {timings.p99:.1f} ms"))
    return rows
