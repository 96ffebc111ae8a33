"""`crm verify`: the log read again and compared with index and read models; a digest per partition and per table."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from typing import Never

from tqdm import tqdm

from consumers.verify import Report, verify
from infra.cli.output import print_json, print_table
from infra.cli.runtime import caught_up, say
from infra.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine output")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """0 if all is right, 1 if something is not as the log says."""
    with caught_up(settings) as crm, tqdm(unit="record", disable=not sys.stderr.isatty()) as bar:
        report = verify(crm, _Telling(bar))
    if args.json:
        print_json(asdict(report))
    else:
        _print(report)
    return 1 if report.findings else 0


def _print(report: Report) -> None:
    print_table(
        ("partition", "records", "SHA-256 chain", ""),
        [(one.partition, one.next_offset, one.digest, _word(one.ok)) for one in report.partitions],
    )
    print()
    print_table(
        ("read model", "table", "SHA-256 of the table", "of its content", ""),
        [(one.projection, one.table, one.digest, one.content[:16], _word(one.ok)) for one in report.tables],
    )
    print()
    for finding in report.findings:
        print(finding)
    if not report.findings:
        print("All is as the log says.")


def _word(ok: bool) -> str:
    return "right" if ok else "WRONG"


class _Telling:
    """Progress: a bar on a terminal, a plain line now and then elsewhere."""

    def __init__(self, bar: tqdm[Never]) -> None:
        self.bar, self.told = bar, time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self.bar.disable:
            if time.monotonic() - self.told > 5:
                self.told = time.monotonic()
                say(f"{what}: {done} of {total}")
            return
        self.bar.set_description(what, refresh=False)
        self.bar.total = total
        self.bar.update(done - self.bar.n)
