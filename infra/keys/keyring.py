"""The keyring of one process: finds secrets to unseal with, and makes an owner's key when there is none yet."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from domain.decider import DomainError
from infra.keys.master import Wrapper
from infra.keys.records import ErasedRecord, KeyRecord, erased_record, key_record
from infra.log.contract import Log, LogUnreachable, Outgoing, Position, Topic
from infra.postgres.connection import Pool
from infra.progress import Progress

READ_BACK_SECONDS = 30.0
CACHED = 200_000


class OwnerErased(DomainError):
    """Nothing personal can be written about somebody who was erased."""


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """A secret of 32 bytes and its id."""

    id: UUID
    secret: bytes


class Keyring:
    """Thread-safe. Forgets what it has in memory whenever somebody is erased."""

    def __init__(self, pool: Pool, log: Log, progress: Progress, master: bytes) -> None:
        self.pool, self.log, self.progress = pool, log, progress
        self.wrapper = Wrapper(master)
        self._secrets: dict[UUID, bytes | None] = {}
        self._of_owner: dict[UUID, EncryptionKey] = {}
        self._lock = threading.Lock()
        self._generation = 0
        progress.on_erased(self.forget)

    def forget(self) -> None:
        """Drop every secret held in memory."""
        with self._lock:
            self._generation += 1
            self._secrets, self._of_owner = {}, {}

    def check_master_key(self) -> None:
        """Raises WrongMasterKey if a key in the log was wrapped with another one."""
        with self.pool.transaction() as cursor:
            cursor.execute("SELECT id, owner, wrapped FROM index.encryption_key WHERE wrapped IS NOT NULL LIMIT 1")
            row = cursor.fetchone()
        if row is not None:
            self.wrapper.unwrap(bytes(row[2]), row[0], row[1])

    def find(self, ids: Collection[UUID]) -> dict[UUID, bytes | None]:
        """The secrets of these keys: None where the owner was erased, absent where the key is unknown even after `crm.keys` was
        read to its present end (then an event is parked, never redacted)."""
        found = {key_id: self._secrets[key_id] for key_id in ids if key_id in self._secrets}
        missing = set(ids) - set(found)
        if missing:
            found |= self._load(missing)
            missing -= set(found)
        if missing:
            ends = {(Topic.KEYS, p): end for p, end in self.log.ends(Topic.KEYS).items()}
            self.progress.wait_until(ends, READ_BACK_SECONDS)
            found |= self._load(missing)
        return found

    def for_owners(self, owners: Iterable[UUID]) -> dict[UUID, EncryptionKey]:
        """A usable key for each owner, but for those who were erased. A new one is durable in `crm.keys` and was read back through
        our own reader before this returns. Raises LogUnreachable."""
        wanted = set(owners)
        known = self._known(wanted)
        without = wanted - set(known)
        without -= self._erased_of(without)
        if without:
            self._make(without)
            known.update(self._known(without))
        return known

    def for_owner(self, owner: UUID) -> EncryptionKey:
        """The same for one. Raises OwnerErased, LogUnreachable."""
        key = self.for_owners([owner]).get(owner)
        if key is None:
            raise OwnerErased("This person was erased; nothing personal can be recorded about them any more.")
        return key

    def erase(self, owner: UUID) -> None:
        """Overwrite each of the owner's key records, and one under the owner, with the erased marker; returns when it was read
        back. What was sealed for this owner is unreadable from then on, from the index and the log alike."""
        with self.pool.transaction() as cursor:
            cursor.execute("SELECT id FROM index.encryption_key WHERE owner = %s", (owner,))
            ids = [row[0] for row in cursor.fetchall()]
        self._append([erased_record(ErasedRecord(record_id, owner)) for record_id in (owner, *ids)])
        with self.pool.transaction() as cursor:
            cursor.execute("DELETE FROM index.snapshot WHERE stream = %s OR key = %s", (owner, owner))
        self.forget()

    def _load(self, ids: set[UUID]) -> dict[UUID, bytes | None]:
        generation = self._generation
        with self.pool.transaction() as cursor:
            cursor.execute("SELECT id, owner, wrapped FROM index.encryption_key WHERE id = ANY(%s)", (list(ids),))
            rows = cursor.fetchall()
        found = {row[0]: None if row[2] is None else self.wrapper.unwrap(bytes(row[2]), row[0], row[1]) for row in rows}
        self._keep(self._secrets, found, generation)
        return found

    def _keep(self, cache: dict[UUID, Any], found: dict[UUID, Any], generation: int) -> None:
        """Hold in memory what was found, unless somebody was erased since it was asked for."""
        with self._lock:
            if generation == self._generation:
                if len(cache) > CACHED:
                    cache.clear()
                cache.update(found)

    def _known(self, owners: set[UUID]) -> dict[UUID, EncryptionKey]:
        known = {owner: self._of_owner[owner] for owner in owners if owner in self._of_owner}
        asked, generation = list(owners - set(known)), self._generation
        if not asked:
            return known
        with self.pool.transaction() as cursor:
            cursor.execute(
                "SELECT DISTINCT ON (owner) owner, id, wrapped FROM index.encryption_key"
                " WHERE owner = ANY(%s) AND wrapped IS NOT NULL ORDER BY owner, id",
                (asked,),
            )
            rows = cursor.fetchall()
        found = {owner: EncryptionKey(key_id, self.wrapper.unwrap(bytes(wrapped), key_id, owner)) for owner, key_id, wrapped in rows}
        self._keep(self._of_owner, found, generation)
        return known | found

    def _erased_of(self, owners: set[UUID]) -> set[UUID]:
        if not owners:
            return set()
        with self.pool.transaction() as cursor:
            cursor.execute("SELECT owner FROM index.erased_owner WHERE owner = ANY(%s)", (list(owners),))
            return {row[0] for row in cursor.fetchall()}

    def _make(self, owners: set[UUID]) -> None:
        records = []
        for owner in owners:
            key_id, secret = uuid4(), os.urandom(32)
            records.append(key_record(KeyRecord(key_id, owner, self.wrapper.wrap(secret, key_id, owner))))
        self._append(records)

    def _append(self, records: list[Outgoing]) -> list[Position]:
        positions = [future.result(READ_BACK_SECONDS) for future in self.log.append(Topic.KEYS, records, bulk=len(records) > 10)]
        if not self.progress.wait_for(positions, READ_BACK_SECONDS):
            raise LogUnreachable("The encryption keys were written but not read back in time; is the indexer running?")
        return positions
