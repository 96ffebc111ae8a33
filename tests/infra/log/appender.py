"""A process that appends one record after the other, and prints for each its position and its value once it is acknowledged."""

from __future__ import annotations

import sys
from uuid import uuid4

from infra.log.contract import Outgoing, Topic
from tests.infra.log.conftest import log_at


def main(kind: str, address: str, prefix: str, name: str, count: int) -> None:
    log = log_at(kind, address, prefix)
    for start in range(0, count, 3):
        values = [f"{name}{number}" for number in range(start, start + 3)]
        futures = log.append(Topic.DECISIONS, [Outgoing(str(uuid4()).encode(), value.encode()) for value in values])
        for value, future in zip(values, futures, strict=True):
            print(future.result(30), value)
    log.close()


if __name__ == "__main__":
    main(*sys.argv[1:5], int(sys.argv[5]))
