"""`crm lag`: how far behind the index and each read model are, in records and in seconds."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from infra.cli.output import print_json, print_table
from infra.cli.runtime import opened
from infra.lag import all_lags, refused_count, stopped_partitions
from infra.settings import Settings
from projections.registry import PROJECTIONS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine output")


def run(args: argparse.Namespace, settings: Settings) -> int:
    with opened(settings) as crm, crm.pool.transaction() as cursor:
        lags = all_lags(cursor, crm.log, [projection.name for projection in PROJECTIONS])
        refused, stopped = refused_count(cursor), stopped_partitions(cursor)
    if args.json:
        print_json({"readers": [asdict(lag) for lag in lags], "refused": refused, "stopped": stopped})
        return 0
    print_table(
        ("reader", "records behind", "seconds behind", "parked keys"),
        [(lag.reader, lag.records, round(lag.seconds, 1), lag.parked) for lag in lags],
    )
    print(f"Refused commits in the log: {refused}")
    for why in stopped:
        print(why)
    return 0
