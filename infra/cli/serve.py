"""`crm serve`: everything under one command, as a few processes that stop together; one that dies is started again."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from threading import Event

from infra.cli.api import bound
from infra.cli.errors import Refused
from infra.cli.runtime import AGAIN_SECONDS, WORKERS, opened, say, start_worker, stop_workers
from infra.postgres.folder import serve_lock
from infra.settings import Settings, child_environment

READY_SECONDS = 60.0

Start = Callable[[], "subprocess.Popen[bytes]"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="the address to listen at (CRM_HOST; 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port (CRM_PORT; 8000)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Until SIGTERM or Ctrl-C."""
    settings = replace(settings, host=args.host or settings.host, port=args.port or settings.port)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    bound(settings.host, settings.port).close()
    with serve_lock(settings.data), opened(settings):
        _supervise(settings, stop)
    return 0


def _supervise(settings: Settings, stop: Event) -> None:
    starts: list[Start] = [*(_worker(settings, arguments) for arguments in WORKERS), lambda: _start_api(settings)]
    running = [start() for start in starts]
    try:
        _say_ready(settings, running, stop)
        while not stop.wait(0.2):
            for number, process in enumerate(running):
                if process.poll() is not None:
                    say(f"A process ended (code {process.returncode}); it is started again.")
                    stop.wait(AGAIN_SECONDS)
                    running[number] = starts[number]()
    finally:
        stop_workers(running)


def _worker(settings: Settings, arguments: tuple[str, ...]) -> Start:
    return lambda: start_worker(settings, arguments)


def _start_api(settings: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", "from infra.cli import main; raise SystemExit(main())", "api", "--child"],
        stdin=subprocess.PIPE,
        env=child_environment(settings),
        start_new_session=True,
    )


def _say_ready(settings: Settings, running: list[subprocess.Popen[bytes]], stop: Event) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    end = time.monotonic() + READY_SECONDS
    while not stop.is_set():
        if _answers(settings):
            print(f"ready http://{host}:{settings.port}", flush=True)
            return
        if running[-1].poll() is not None or time.monotonic() > end:
            raise Refused("The HTTP side does not start; what it said stands above.")
        time.sleep(0.05)


def _answers(settings: Settings) -> bool:
    connection = HTTPConnection(settings.host, settings.port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
