"""What commands share: a Crm with somebody at work on it, beside a running server or without one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from consumers.indexing.progress import touch
from consumers.projecting.schema import create_read_models
from infra.cli.errors import Refused
from infra.crm import Crm
from infra.lag import log_ends
from infra.log.contract import Topic
from infra.settings import Settings, child_environment
from projections.registry import PROJECTIONS

WORKERS = (("index", "decisions", "keys"), ("index", "facts"), ("project",))
"""The processes that read the log: apart, so that an import never takes the interpreter from a command."""


AGAIN_SECONDS = 1.0
"""Before a process that died is started again, so that one that cannot live does not spin."""


def say(text: str) -> None:
    """Tell the person something that is not the command's answer."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def opened(settings: Settings) -> Iterator[Crm]:
    """A Crm whose tables are there. Raises WrongMasterKey before anything is done with the wrong one."""
    with Crm(settings, say=say) as crm:
        with crm.pool.transaction() as cursor:
            create_read_models(cursor, crm.log, PROJECTIONS)
        crm.keyring.check_master_key()
        yield crm


@contextmanager
def working(settings: Settings) -> Iterator[Crm]:
    """A Crm with workers beside it for as long as the command runs. Where a server is running they idle: it holds the leases."""
    with opened(settings) as crm, workers(settings):
        yield crm


@contextmanager
def caught_up(settings: Settings, timeout: float = 600.0) -> Iterator[Crm]:
    """A Crm whose read models have folded everything that is in the log now; workers are only started where they have not."""
    with opened(settings) as crm:
        if is_caught_up(crm):
            _say_read(crm)
            yield crm
            return
        with workers(settings):
            wait_until_projected(crm, timeout)
            yield crm


def _say_read(crm: Crm) -> None:
    """We have just looked: the index has everything. Where no indexer runs, nobody else would say so."""
    with crm.pool.transaction() as cursor:
        for topic in Topic:
            touch(cursor, "index", topic, range(crm.log.partitions(topic)))


def start_worker(settings: Settings, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """A process of ours that ends when its standard input does: whatever ends us, ends it. Ctrl-C does not reach it."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "consumers", *arguments],
        stdin=subprocess.PIPE,
        env=child_environment(settings),
        start_new_session=True,
    )


@contextmanager
def workers(settings: Settings) -> Iterator[None]:
    """The workers, for as long as this lasts. One that dies is started again."""
    running = [start_worker(settings, arguments) for arguments in WORKERS]
    done = Event()
    keeper = Thread(target=_keep_running, args=(settings, running, done), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()
        stop_workers(running)


def _keep_running(settings: Settings, running: list[subprocess.Popen[bytes]], done: Event) -> None:
    while not done.wait(AGAIN_SECONDS):
        for number, process in enumerate(running):
            if process.poll() is not None:
                running[number] = start_worker(settings, WORKERS[number])


def stop_workers(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask all of them to end, then wait for each; one that does not is killed."""
    for process in running:
        if process.stdin is not None:
            process.stdin.close()
    for process in running:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_caught_up(crm: Crm) -> bool:
    """Whether the index has all of the log and the read models all of it."""
    with crm.pool.transaction() as cursor:
        cursor.execute("SELECT topic, partition, next_offset FROM index.checkpoint")
        index = {(letter, partition): offset for letter, partition, offset in cursor.fetchall()}
    indexed = all(index.get((topic.letter, p), 0) >= end for (topic, p), end in crm.ends().items())
    return indexed and _projected(crm, log_ends(crm.log))


def wait_until_projected(crm: Crm, timeout: float) -> None:
    """Wait until every read model has folded all that is in the log now. Raises Refused."""
    ends, end = log_ends(crm.log), time.monotonic() + timeout
    while not _projected(crm, ends):
        if time.monotonic() > end:
            raise Refused("The read models do not catch up with the log; look at `crm lag` and `crm parked`.")
        time.sleep(0.02)


def _projected(crm: Crm, ends: dict[str, int]) -> bool:
    with crm.pool.transaction() as cursor:
        cursor.execute("SELECT projection, partition, next_offset FROM read.checkpoint")
        at = {(projection, partition): offset for projection, partition, offset in cursor.fetchall()}
    return all(at.get((projection.name, name), 0) >= end for projection in PROJECTIONS for name, end in ends.items())
