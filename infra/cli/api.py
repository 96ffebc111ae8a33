"""`crm api`: the HTTP side alone."""

from __future__ import annotations

import argparse
import socket
from threading import Event, Thread

import uvicorn

from api.main import make_app
from consumers.workers import stop_with_parent
from infra.cli.errors import Refused
from infra.cli.runtime import opened
from infra.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="the address to listen at (CRM_HOST; 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port (CRM_PORT; 8000)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)  # ends when its standard input does


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Until SIGTERM or Ctrl-C."""
    host, port = args.host or settings.host, args.port or settings.port
    with opened(settings) as crm, bound(host, port) as listening:
        config = uvicorn.Config(make_app(crm), access_log=False, log_level="warning", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        if args.child:
            _end_with_parent(server)
        server.run([listening])
    return 0


def bound(host: str, port: int) -> socket.socket:
    """A socket at the address. Raises Refused, a sentence where uvicorn would only log."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise Refused(f"{host}:{port} cannot be listened at ({error.strerror}); choose another --port or --host.") from error
    return listening


def _end_with_parent(server: uvicorn.Server) -> None:
    stop = Event()
    stop_with_parent(stop)

    def watch() -> None:
        stop.wait()
        server.should_exit = True

    Thread(target=watch, daemon=True).start()
