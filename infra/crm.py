"""Everything that one process needs to decide, record and ask: opened once, closed once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

from infra.eventstore.application import WriteSide
from infra.eventstore.mapper import EventMapper
from infra.facts import FactRecorder
from infra.handler import Handler
from infra.keys.keyring import Keyring
from infra.keys.master import master_key
from infra.log.contract import Log, Topic
from infra.log.open import open_log
from infra.postgres.connection import Pool
from infra.postgres.folder import claim_folder
from infra.postgres.schema import create_index
from infra.postgres.server import open_server
from infra.progress import Partition, Progress
from infra.settings import Settings

logger = logging.getLogger(__name__)

POOL_SIZE = 12


class Crm:
    """The parts of one process, put together. Close it when done (a context manager, too).

    Raises at opening: ServerError, FolderError, LogUnreachable, LogMisconfigured, SettingsError (WrongMasterKey too), each with a
    sentence.
    """

    def __init__(self, settings: Settings, *, say: Callable[[str], None] = logger.info) -> None:
        self.settings = settings
        self._stack = ExitStack()
        try:
            self._open(say)
        except BaseException:
            self._stack.close()
            raise

    def _open(self, say: Callable[[str], None]) -> None:
        settings = self.settings
        if settings.database is None:
            self.dsn = self._stack.enter_context(open_server(settings.data, say=say)).dsn
        else:
            claim_folder(settings.data)
            self.dsn = settings.database
        master = master_key(settings)
        self.log: Log = open_log(settings, self.dsn)
        self._stack.callback(self.log.close)
        self.log.check()
        self.pool = Pool(self.dsn, POOL_SIZE)
        self._stack.callback(self.pool.close)
        with self.pool.transaction() as cursor:
            create_index(cursor, self.log)
        self.progress = Progress(self.dsn)
        self._stack.callback(self.progress.close)
        self.keyring = Keyring(self.pool, self.log, self.progress, master)
        self.keyring.check_master_key()
        write_sides = {}
        for topic in (Topic.DECISIONS, Topic.FACTS):
            write_sides[topic] = WriteSide(topic, self.log, self.pool, self.progress, self.keyring)
            self._stack.callback(write_sides[topic].close)
        self.handler = Handler(write_sides, self.pool, master)
        self.handle = self.handler.handle
        """Run one command (see Handler.handle)."""

    def facts(self, actor: str) -> FactRecorder:
        """A run of recording facts."""
        return FactRecorder(self.log, EventMapper(self.keyring), actor)

    def wait_until_indexed(self, timeout: float) -> bool:
        """Wait until the index has passed everything that is in the log now."""
        return self.progress.wait_until(self.ends(), timeout)

    def ends(self) -> dict[Partition, int]:
        """The log's ends, all topics."""
        return {(topic, partition): end for topic in Topic for partition, end in self.log.ends(topic).items()}

    def close(self) -> None:
        """Let go of everything; the last process in the folder stops the embedded PostgreSQL."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
