"""A process that decides: captures or changes one customer, and prints what came of it. Run as `python -m tests.infra.writer`."""

from __future__ import annotations

import sys
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from domain.customer import CUSTOMER, CaptureCustomer, SetLanguage
from infra.crm import Crm
from infra.handler import VersionMoved
from infra.settings import Settings
from tests.infra.crm import ACTOR

LANGUAGES = ("ro", "en", "de", "fr", "it")


def main(what: str, key: UUID, *rest: str) -> None:
    with Crm(Settings.from_environment()) as crm:
        print("ready", flush=True)
        sys.stdin.readline()
        if what == "capture":
            outcome = crm.handle(CUSTOMER, CaptureCustomer(company="Zimbru SRL"), key=key, actor=ACTOR, idempotency_key=rest[0])
            print(outcome.position, flush=True)
            return
        for number in range(int(rest[0])):
            try:
                language = f"{LANGUAGES[number % 5]}-{rest[1]}"
                print(crm.handle(CUSTOMER, SetLanguage(language), key=key, actor=ACTOR).version, flush=True)
            except (IntegrityError, VersionMoved):
                print("lost", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], UUID(sys.argv[2]), *sys.argv[3:])
