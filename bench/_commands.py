"""Commands: their latency and rate, alone and among others, with and without personal fields, and while facts pour in."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any

from bench._bare_path import BareTopic
from bench._report import Row
from bench._shop import Shop
from bench._sizes import Sizes
from bench._timing import Timings, together, wait_until
from infra.log.contract import Topic

WRITERS = (1, 8)
One = Callable[[int], object]


class Ours:
    """Our commands, each a new language for one of the customers, so that none of them has nothing to say."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._numbers = count()

    def plain(self, _: int) -> None:
        number = next(self._numbers)
        self.shop.set_language(number, self._turn(number))

    def sealed(self, _: int) -> None:
        number = next(self._numbers)
        self.shop.set_language_with_reason(number, self._turn(number))

    def person(self, _: int) -> None:
        self.shop.capture_person(next(self._numbers))

    def _turn(self, number: int) -> int:
        return number // len(self.shop.customers)


def measure_commands(shop: Shop, bare: BareTopic, sizes: Sizes) -> list[Row]:
    """Everything runs, and the read models follow."""
    ours, log, rows = Ours(shop), shop.settings.log, []
    for writers in WRITERS:
        floor, plain, sealed = Timings(), Timings(), Timings()
        each = sizes.alone if writers == 1 else sizes.among
        for _ in range(sizes.rounds):
            together(writers, each, bare.command, floor)
            together(writers, each, ours.plain, plain)
            together(writers, each, ours.sealed, sealed)
        rows += rows_of("command", log, writers, plain, floor)
        rows += rows_of("command, personal field", log, writers, sealed, floor)
    person = Timings()
    together(1, sizes.alone, ours.person, person)
    rows.append(Row("new person, 1 writer, p50", log, "ms", person.p50, note="the encryption key is durable and read back first"))
    shop.wait_until_folded()
    return rows


def rows_of(name: str, log: str, writers: int, ours: Timings, floor: Timings) -> list[Row]:
    """Latency and rate of so many writers."""
    who = f"{name}, {writers} writer{'s' if writers > 1 else ''}"
    return [
        Row(f"{who}, p50", log, "ms", ours.p50, floor.p50, ratio_at_most=2, note=f"p99 {ours.p99:.1f}, bare {floor.p99:.1f}"),
        Row(f"{who}, rate", log, "/s", ours.rate, floor.rate, ratio_at_least=0.6),
    ]


def measure_commands_beside_facts(shop: Shop, decisions: BareTopic, facts: BareTopic, sizes: Sizes) -> list[Row]:
    """The latency of a command while an import is at work; the aim is a ratio to our own without."""
    ours = Ours(shop)
    calm = {writers: Timings() for writers in WRITERS}
    for writers, timings in calm.items():
        together(writers, sizes.alone if writers == 1 else sizes.among, ours.plain, timings)
    bare_end = facts.indexed() + sizes.poured
    begun = facts.indexed()
    floor, _, _ = beside(facts.pour_beside(sizes.poured), decisions.command, sizes, lambda: facts.indexed() > begun)
    wait_until(lambda: facts.indexed() >= bare_end, 600, "the bare path's indexer of facts")
    before = fact_count(shop)
    busy, begin, durable = beside(shop.pour_beside(sizes.poured), ours.plain, sizes, lambda: fact_count(shop) > before)
    shop.wait_until_indexed()
    indexed = time.perf_counter() - begin
    log, rows = shop.settings.log, []
    for writers in WRITERS:
        who = f"command beside {sizes.poured:,} facts, {writers} writer{'s' if writers > 1 else ''}, p50"
        rows.append(Row(who, log, "ms", busy[writers].p50, floor[writers].p50, note=f"p99 {busy[writers].p99:.0f}"))
        rows.append(Row("  against ours without", log, "ms", busy[writers].p50, calm[writers].p50, ratio_at_most=3))
    rows.append(Row("import beside commands, until durable", log, "/s", sizes.poured / durable, note="facts read, recorded; all at work"))
    rows.append(Row("import beside commands, until indexed", log, "/s", sizes.poured / indexed))
    shop.wait_until_folded()
    return rows


def beside(pouring: Any, one: One, sizes: Sizes, begun: Callable[[], bool]) -> tuple[dict[int, Timings], float, float]:
    """Commands for as long as the other process pours: their timings, when the first facts were there, and the seconds from then
    until all were durable."""
    busy = {writers: Timings() for writers in WRITERS}
    wait_until(lambda: begun() or not pouring.is_alive(), 600, "the process that pours facts")
    begin = time.perf_counter()
    while pouring.is_alive() or not all(timings.rates for timings in busy.values()):
        for writers, timings in busy.items():
            together(writers, max(2, sizes.alone // 4) if writers == 1 else max(2, sizes.among // 4), one, timings)
    durable = time.perf_counter() - begin
    if pouring.exitcode:
        raise AssertionError("the process that pours facts failed")
    return busy, begin, durable


def fact_count(shop: Shop) -> int:
    """Facts in the log."""
    return sum(shop.crm.log.ends(Topic.FACTS).values())
