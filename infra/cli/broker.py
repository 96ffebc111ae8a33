"""`crm broker start|stop`: a real one-node Kafka from two PyPI packages; no Docker, no Java needed."""

from __future__ import annotations

import argparse

from infra import broker
from infra.postgres.folder import claim_folder
from infra.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("--port", type=int, default=9092, help="its port; the next one is taken too (9092)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.action == "stop":
        broker.stop(settings.data / "kafka")
        print("Kafka is stopped; its data stays.")
    else:
        # The folder becomes ours first: the commands that come next refuse one that holds what they did not put there.
        address = broker.start(claim_folder(settings.data) / "kafka", args.port)
        print(f"Kafka answers at {address}. To use it: export CRM_LOG=kafka CRM_KAFKA={address}")
    return 0
