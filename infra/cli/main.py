"""Parses the command line, runs one command, and turns every error into one sentence and an exit code."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from infra.cli.errors import USED_WRONGLY, exit_code_of, sentence_of
from infra.settings import Settings

COMMANDS = {
    "serve": "everything under one command; prints `ready http://HOST:PORT` when it answers",
    "api": "the HTTP side alone",
    "project": "indexers and projectors alone, of all topics and partitions or of some",
    "broker": "a real one-node Kafka on this machine",
    "import": "real files into the log",
    "undo-import": "withdraw one batch, at any size",
    "screen-pop": "who is calling, and what we know of them",
    "lag": "how far behind the index and each read model are",
    "rebuild": "a read model built anew from event zero",
    "parked": "keys that a read model has set aside",
    "verify": "read the log again, and check index and read models against it",
}
"""Every command. Its module, `infra.cli.<name>`, is imported when it is used."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0 done, 1 refused or found wrong, 2 used wrongly."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what it logs, tracebacks too, it also raises: we say it in a sentence
    gc.set_threshold(100_000, 20, 20)  # a batch makes a hundred thousand short-lived objects and no cycles
    words = list(sys.argv[1:] if arguments is None else arguments)
    module, parser = _parser(next((word for word in words if not word.startswith("-")), ""))
    args = parser.parse_args(words)
    if module is None:
        parser.print_help(sys.stderr)
        return USED_WRONGLY
    try:
        return int(module.run(args, Settings.from_environment(data=args.data)))
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. What was recorded stays; the same command goes on where it stopped.\n")
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read our output has gone
        return 1
    except Exception as error:  # noqa: BLE001 - a person never sees a traceback
        sys.stderr.write(f"{sentence_of(error) or _unexpected()}\n")
        return exit_code_of(error)


def _parser(chosen: str) -> tuple[ModuleType | None, argparse.ArgumentParser]:
    """The parser, with the arguments of the chosen command, whose module is the first of the pair."""
    parser = argparse.ArgumentParser(prog="crm", description="Annals, an event-sourced CRM.")
    commands = parser.add_subparsers(metavar="COMMAND")
    module = None
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command.add_argument("--data", type=Path, metavar="DIR", help="the data folder (CRM_DATA; annals-data where nothing is said)")
        if name == chosen:
            module = import_module(f"infra.cli.{name.replace('-', '_') if name != 'import' else 'import_'}")
            module.add_arguments(command)
    return module, parser


def _unexpected() -> str:
    """A bug of ours: kept whole in a file, for whoever mends it."""
    with tempfile.NamedTemporaryFile("w", prefix="annals-error-", suffix=".txt", delete=False) as file:
        file.write(traceback.format_exc())
    return f"Something went wrong that should not have; nothing that was recorded is lost. What we know of it stands in {file.name}."
