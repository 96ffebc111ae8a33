"""One worker process: `python -P -m consumers index decisions keys`, `… index facts`, `… project`. Started by `crm serve`, by
`crm project`, and by commands that find nobody at work; ends when its parent does."""

from __future__ import annotations

import gc
import logging
import signal
import sys
from threading import Event

from consumers import workers
from infra.crm import Crm
from infra.log.contract import LogError, Topic
from infra.postgres.errors import ServerError
from infra.settings import Settings, SettingsError


def main(arguments: list[str]) -> int:
    """Run until the parent is gone or a signal comes. 0 if that was all, 1 if something failed."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what it logs, tracebacks too, it also raises: we say it in a sentence
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and closes our standard input
    workers.stop_with_parent(stop)
    gc.set_threshold(200_000, 20, 20)  # a batch makes a hundred thousand short-lived objects and no cycles: half the time went there
    try:
        with Crm(Settings.from_environment()) as crm:
            match arguments:
                case ["index", *topics]:
                    tasks = workers.indexers(crm, [Topic(topic) for topic in topics])
                case ["project"]:
                    tasks = workers.projectors(crm)
                case _:
                    raise SystemExit(2)
            return 0 if workers.run(tasks, stop) else 1
    except (LogError, ServerError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
