"""Many at once, their latencies, and what a process has used of the processor."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median


@dataclass
class Timings:
    """Rounds of one measurement: a second's rate of each round, and every single latency in milliseconds."""

    rates: list[float] = field(default_factory=list)
    p50s: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    def add(self, rate: float, took: list[float]) -> None:
        """One more round."""
        self.rates.append(rate)
        self.p50s.append(median(took))
        self.took += took

    @property
    def rate(self) -> float:
        """The median round's."""
        return median(self.rates)

    @property
    def p50(self) -> float:
        """The median round's median."""
        return median(self.p50s)

    @property
    def p99(self) -> float:
        """Over all rounds."""
        return sorted(self.took)[len(self.took) * 99 // 100]


def together(writers: int, each: int, one: Callable[[int], object], timings: Timings) -> None:
    """One round: so many threads that run `one` so often, each call with a number of its own. Raises what a call raised."""
    took: list[float] = []
    failures: list[BaseException] = []

    def run(writer: int) -> None:
        try:
            for number in range(each):
                begin = time.perf_counter()
                one(number * writers + writer)
                took.append((time.perf_counter() - begin) * 1000)
        except BaseException as why:  # noqa: BLE001 - raised again below, in the thread that asked
            failures.append(why)

    threads = [threading.Thread(target=run, args=(writer,)) for writer in range(writers)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    timings.add(len(took) / (time.perf_counter() - begin), took)


def wait_until(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come to its end within {seconds:g} seconds")
        time.sleep(0.005)


def processor_seconds(pid: int) -> float:
    """What this process has used of the processor; 0 where the system does not say (it is no Linux)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
