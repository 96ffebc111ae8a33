"""`crm project`: indexers and projectors apart from the rest, as many processes as partitions if need be."""

from __future__ import annotations

import argparse
import signal
from threading import Event

from consumers import workers
from infra.cli.errors import Refused, UsedWrongly
from infra.cli.runtime import opened
from infra.log.contract import Topic
from infra.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--topic", action="append", choices=[topic.value for topic in Topic], help="only this one (may be repeated)")
    parser.add_argument("--partitions", metavar="0-3", help="only these: numbers and ranges, with commas")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Until SIGTERM or Ctrl-C."""
    topics = [Topic(name) for name in args.topic] if args.topic else list(Topic)
    partitions = None if args.partitions is None else partitions_of(args.partitions)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened(settings) as crm:
        tasks = workers.indexers(crm, topics, partitions) + workers.projectors(crm, topics, partitions)
        print(f"following {', '.join(topic.value for topic in topics)}", flush=True)
        if not workers.run(tasks, stop):
            raise Refused("A worker failed; what it said stands above.")
    return 0


def partitions_of(text: str) -> list[int]:
    """`0-3,7` as numbers. Raises UsedWrongly."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise UsedWrongly(f"--partitions {text} names no partitions; give numbers and ranges such as 0-3,7.")
        found.update(range(int(first), int(last or first) + 1))
    return sorted(found)
