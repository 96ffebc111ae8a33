"""`crm import FILE… --mapping MAP.toml`: real files into the log."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from consumers.importing import command
from consumers.importing.log_sink import Checks, LogSink
from consumers.importing.sink import Sink
from domain.inbound_types import INBOUND_BY_NAME
from infra.cli.errors import Refused
from infra.cli.runtime import say, working
from infra.log.contract import LogUnreachable
from infra.settings import Settings

AGAIN = " Nothing that was recorded is lost; run the same command again, it goes on where it stopped."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    command.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="the last line is an object with the counts")


def run(args: argparse.Namespace, settings: Settings) -> int:
    @contextmanager
    def sink(dry_run: bool) -> Iterator[Sink[Any, Any]]:
        if dry_run:
            yield cast("Sink[Any, Any]", Checks(settings.region))
            return
        with working(settings) as crm:
            log_sink = LogSink(crm)
            yield log_sink
        if log_sink.unmatched:
            say(
                f"{log_sink.unmatched} facts name their customer by a number or an address that no one customer has: they are recorded,"
                " and nobody's for now. Numbers without a country were read as dialled in CRM_REGION"
                f" ({settings.region}) unless the mapping says a phone_region."
            )

    try:
        return command.run(args, sink, recordable=INBOUND_BY_NAME.keys(), out=sys.stdout, err=sys.stderr)
    except LogUnreachable as error:
        raise Refused(f"{str(error).removesuffix(AGAIN)}{AGAIN}") from error
