"""`crm parked`: the keys that a read model has set aside, with the reason; `crm parked retry`: fold them again."""

from __future__ import annotations

import argparse

from consumers.projecting.parking import all_parked
from consumers.projecting.projector import Projector
from infra.cli.output import print_json, print_table
from infra.cli.runtime import opened
from infra.settings import Settings
from projections.registry import BY_NAME


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=["retry"], help="fold again what was set aside")
    parser.add_argument("--json", action="store_true", help="machine output")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """0; 1 if keys stay parked after a retry."""
    with opened(settings) as crm:
        with crm.pool.transaction() as cursor:
            parked = all_parked(cursor)
        if args.action == "retry":
            for one in parked:
                with Projector(crm.pool, crm.log, crm.keyring, BY_NAME[one.projection], lease=False) as projector:
                    projector.retry(one.key)
            with crm.pool.transaction() as cursor:
                parked = all_parked(cursor)
    rows = [
        {"projection": p.projection, "key": str(p.key), "from": f"{p.partition}:{p.log_offset}", "type": p.type or "?", "reason": p.reason}
        for p in parked
    ]
    if args.json:
        print_json({"parked": rows})
    elif rows:
        print_table(("projection", "key", "from", "type", "reason"), [tuple(row.values()) for row in rows])
    else:
        print("No key is parked.")
    return 1 if args.action == "retry" and rows else 0
