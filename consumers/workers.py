"""Runs indexers and projectors: each in a thread of a process that stops when told, or when its parent is gone."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from threading import Event

from consumers.indexing.indexer import Indexer
from consumers.projecting.projector import Projector
from consumers.projecting.schema import create_read_models
from infra.crm import Crm
from infra.log.contract import Topic
from projections.registry import PROJECTIONS

logger = logging.getLogger(__name__)


def indexers(crm: Crm, topics: Iterable[Topic], partitions: Iterable[int] | None = None) -> list[Callable[[Event], None]]:
    """One indexer a topic."""
    wanted = None if partitions is None else list(partitions)
    return [Indexer(crm.dsn, crm.log, topic, partitions=wanted).run for topic in topics]


def projectors(crm: Crm, topics: Iterable[Topic] | None = None, partitions: Iterable[int] | None = None) -> list[Callable[[Event], None]]:
    """One projector a projection, woken whenever the index moves."""
    with crm.pool.transaction() as cursor:
        create_read_models(cursor, crm.log, PROJECTIONS)
    names = _names(crm, topics, partitions)
    made = [Projector(crm.pool, crm.log, crm.keyring, projection, partitions=names) for projection in PROJECTIONS]
    for projector in made:
        crm.progress.on_moved(projector.moved.set)
    return [projector.run for projector in made]


def _names(crm: Crm, topics: Iterable[Topic] | None, partitions: Iterable[int] | None) -> list[str] | None:
    if topics is None and partitions is None:
        return None
    wanted = None if partitions is None else set(partitions)
    followed = [topic for topic in (topics or Topic) if topic is not Topic.KEYS]
    return [f"{topic.letter}{p}" for topic in followed for p in range(crm.log.partitions(topic)) if wanted is None or p in wanted]


def run(tasks: Iterable[Callable[[Event], None]], stop: Event) -> bool:
    """Run the tasks, a thread each, until told to stop; False if one of them failed, which stops the others too."""
    failed = Event()

    def guarded(task: Callable[[Event], None]) -> None:
        try:
            task(stop)
        except Exception:
            logger.exception("a worker failed")
            failed.set()
            stop.set()

    threads = [threading.Thread(target=guarded, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return not failed.is_set()


def stop_with_parent(stop: Event) -> None:
    """Stop when standard input ends: our parent holds its other end, so it ends whatever killed the parent."""

    def watch() -> None:
        while os.read(0, 1):  # not sys.stdin, whose lock a dying interpreter waits for
            pass
        stop.set()

    threading.Thread(target=watch, daemon=True).start()
