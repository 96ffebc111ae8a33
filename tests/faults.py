"""What tests of faults need: a port, patience, and a real broker that can be paused, killed and started again."""

from __future__ import annotations

import random
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from infra import broker

MEMORY = Path("/dev/shm")
ROOMY = 4 * 1024**3


def quick_folder(prefix: str) -> Path:
    """A new closed folder, in memory where the machine has plenty: what a test writes need not survive the machine."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOMY
    return Path(mkdtemp(prefix=prefix, dir=MEMORY if roomy else None))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, outside the range that the system hands out by itself (so it stays free)."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def wait_until(true: Callable[[], object], seconds: float = 10.0, *, what: str = "it") -> None:
    """Ask until the answer is true. Fails the test if it is not after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} seconds in vain for {what}"
        time.sleep(0.02)


@dataclass
class Broker:
    """The session's Kafka broker. A test that pauses or kills it leaves it running again (`resume`, `restart`)."""

    folder: Path
    port: int
    address: str = ""

    def restart(self) -> None:
        """Start it, if it does not run; its port and what is in it stay the same."""
        self.address = broker.start(self.folder, self.port, say=print)

    def pause(self) -> None:
        broker.pause(self.folder)

    def resume(self) -> None:
        broker.resume(self.folder)

    def stop(self) -> None:
        broker.stop(self.folder)

    def kill(self) -> None:
        broker.kill(self.folder)

    def heal(self) -> None:
        """Make it answer again, whatever a test did to it."""
        try:
            broker.resume(self.folder)
        except broker.BrokerError:
            self.restart()
