"""The whole path, beside the bare one in the same run: facts, commands, commands while facts pour in, rebuilds, on both logs.

    python -m bench.crm [--quick] [--scale 0.1] [--log embedded|kafka]

Starts a PostgreSQL and a Kafka broker of its own. Ours and the bare path (`_bare_path.py`) take turns, round by round, on the same
servers; the table holds medians of the rounds. Only the ratios count: the same machine is twice as fast a minute later.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from bench._bare_path import BareTopic
from bench._bare_wires import KafkaWire, TableWire, Wire, close_producers
from bench._commands import measure_commands, measure_commands_beside_facts
from bench._facts import measure_facts
from bench._pops import measure_pops
from bench._ports import free_port
from bench._rebuilds import measure_rebuilds
from bench._report import Results
from bench._shop import Shop
from bench._sizes import FULL, QUICK, Sizes
from infra import broker
from infra.settings import Settings


def measure(settings: Settings, sizes: Sizes, address: str | None, results: Results) -> None:
    """All figures of one log."""
    with ExitStack() as stack:
        shop = Shop(settings, sizes.customers)
        stack.callback(shop.close)
        size = measured_size(shop)
        decisions, facts = stack.enter_context(bare(shop.crm.dsn, address, size, settings))
        told = say(settings, "facts")
        results.add(measure_facts(shop, facts, sizes, size))
        told = say(settings, "commands", told)
        results.add(measure_commands(shop, decisions, sizes))
        told = say(settings, "commands beside facts", told)
        results.add(measure_commands_beside_facts(shop, decisions, facts, sizes))
        if address is None:  # these read the index and the read models, whichever log filled them
            told = say(settings, "screen pops and rebuilds", told)
            results.add(measure_pops(shop, sizes))
            results.add(measure_rebuilds(shop))
        say(settings, "done", told)


def say(settings: Settings, what: str, since: float | None = None) -> float:
    """Tell who waits what comes now, and how long the last took."""
    now = time.monotonic()
    sys.stderr.write(f"{settings.log}: {what}{'' if since is None else f' (after {now - since:.0f} s)'}\n")
    return now


def measured_size(shop: Shop) -> int:
    """How long our facts are in the log: the bare path's are as long."""
    shop.crm.facts("system:bench").append(shop.facts(10))
    return shop.fact_bytes()


@contextmanager
def bare(dsn: str, address: str | None, size: int, settings: Settings) -> Iterator[Sequence[BareTopic]]:
    """The bare decisions and facts, beside ours."""
    topics: list[BareTopic] = []
    try:
        for name, partitions in (("bare_decisions", settings.decision_partitions), ("bare_facts", settings.fact_partitions)):
            wire: Wire = TableWire(dsn, name, partitions) if address is None else KafkaWire(address, f"{name}_{uuid4().hex}", partitions)
            topics.append(BareTopic(wire, dsn, name, size))
        yield topics
    finally:
        for topic in topics:
            topic.close()
        close_producers()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few hundred events: whether everything runs, not how fast")
    parser.add_argument("--scale", type=float, default=1.0, metavar="FACTOR", help="so much of the facts, for a busy machine (0.1)")
    parser.add_argument("--log", choices=("embedded", "kafka"), help="one log alone")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    results = Results(chosen.quick)
    print("\n".join(results.machine), flush=True)
    try:
        for log in (chosen.log,) if chosen.log else ("embedded", "kafka"):
            of_log(log, QUICK if chosen.quick else FULL.scaled(chosen.scale), results)
    finally:
        print(results.table())


def of_log(log: str, sizes: Sizes, results: Results) -> None:
    """The figures of one log, on servers of its own."""
    with TemporaryDirectory(prefix="annals-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        if log == "embedded":
            measure(Settings(folder / "data"), sizes, None, results)
            return
        address = broker.start(folder / "kafka", free_port())
        stack.callback(broker.stop, folder / "kafka")
        measure(Settings(folder / "data", log="kafka", kafka=(address,)), sizes, address, results)


if __name__ == "__main__":
    main()
