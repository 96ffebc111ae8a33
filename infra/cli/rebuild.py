"""`crm rebuild NAME`: a read model built anew from event zero, in place."""

from __future__ import annotations

import argparse
import sys
import time

from tqdm import tqdm

from consumers.projecting.schema import reset
from infra.cli.output import print_json
from infra.cli.runtime import say, working
from infra.crm import Crm
from infra.lag import log_ends
from infra.settings import Settings
from projections.registry import BY_NAME, PROJECTIONS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", choices=[projection.name for projection in PROJECTIONS], help=", ".join(BY_NAME))
    parser.add_argument("--json", action="store_true", help="machine output")


def run(args: argparse.Namespace, settings: Settings) -> int:
    with working(settings) as crm:
        crm.wait_until_indexed(600)
        began = time.monotonic()
        with crm.pool.transaction() as cursor:
            reset(cursor, BY_NAME[args.name])
        total = _follow(crm, args.name)
        seconds = time.monotonic() - began
    if args.json:
        print_json({"projection": args.name, "records": total, "seconds": round(seconds, 3)})
    else:
        print(f"{args.name}: built anew from {total} records in {seconds:.1f} s.")
    return 0


def _follow(crm: Crm, name: str) -> int:
    """Show how the projector, ours or the server's, goes through the log."""
    ends = log_ends(crm.log)
    total, told = sum(ends.values()), time.monotonic()
    with tqdm(total=total, unit="record", disable=not sys.stderr.isatty()) as bar:
        while (done := _folded(crm, name, ends)) < total:
            bar.update(done - bar.n)
            if bar.disable and time.monotonic() - told > 5:
                told = time.monotonic()
                say(f"{name}: {done} of {total} records")
            time.sleep(0.02)
        bar.update(total - bar.n)
    return total


def _folded(crm: Crm, name: str, ends: dict[str, int]) -> int:
    with crm.pool.transaction() as cursor:
        cursor.execute("SELECT partition, next_offset FROM read.checkpoint WHERE projection = %s", (name,))
        return sum(min(offset, ends.get(partition, 0)) for partition, offset in cursor.fetchall())
