"""`crm undo-import BATCH`: withdraw one batch, at any size; the same file can then be imported again, corrected."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Never

from tqdm import tqdm

from consumers.importing.undo import NoSuchBatch, count, undo, with_nothing_left
from infra.cli.errors import Refused
from infra.cli.output import print_json
from infra.cli.runtime import say, wait_until_projected, working
from infra.settings import Settings

ACTOR = "system:operator"
LISTED = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("batch", metavar="BATCH", help="as `crm import` printed it")
    parser.add_argument("--json", action="store_true", help="machine output")


def run(args: argparse.Namespace, settings: Settings) -> int:
    with working(settings) as crm:
        wait_until_projected(crm, 600)
        total = count(crm, args.batch)
        with tqdm(total=total, unit="fact", disable=not sys.stderr.isatty()) as bar:
            telling = _Telling(bar, total)
            try:
                undone = undo(crm, args.batch, ACTOR, telling)
            except NoSuchBatch as error:
                raise Refused(str(error)) from error
        wait_until_projected(crm, 600)
        idle = with_nothing_left(crm, undone.customers)
    if args.json:
        print_json(
            {
                "batch": args.batch,
                "withdrawn": undone.withdrawn,
                "withdrawn_before": undone.before,
                "customers_with_nothing_left": [str(customer) for customer in idle],
            }
        )
        return 0
    print(f"{args.batch}: {undone.withdrawn} facts withdrawn now, {undone.before} before.")
    print(f"{len(idle)} customers stay with nothing left.")
    for customer in idle[:LISTED]:
        print(f"  {customer}")
    if len(idle) > LISTED:
        print(f"  and {len(idle) - LISTED} more (--json lists all)")
    return 0


class _Telling:
    """Progress: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, bar: tqdm[Never], total: int) -> None:
        self.bar, self.total, self.done, self.told = bar, total, 0, time.monotonic()

    def __call__(self, number: int) -> None:
        self.done += number
        self.bar.update(number)
        if self.bar.disable and time.monotonic() - self.told > 5:
            self.told = time.monotonic()
            say(f"{self.done} of {self.total} withdrawn")
