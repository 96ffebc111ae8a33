"""The keyring of one process: finds secrets to unseal with, and makes an owner's key when there is none yet."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from domain.decider import DomainError
from infra.keys.master import Wrapper, WrongMasterKey
from infra.keys.records import ErasedRecord, KeyRecord, erased_record, key_record
from infra.log.contract import Log, LogUnreachable, Outgoing, Topic
from infra.postgres.connection import Pool
from infra.progress import Progress

READ_BACK_SECONDS = 30.0
CACHED = 200_000
TRIED = 20
"""How many keys the master key is tried on: one that nobody of ours wrote must not stop everything."""


class OwnerErased(DomainError):
    """Nothing personal can be written about somebody who was erased."""


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """A secret of 32 bytes and its id."""

    id: UUID
    secret: bytes


class _Memory:
    """What was found in the database, until somebody is erased. Thread-safe."""

    def __init__(self) -> None:
        self._held: dict[UUID, Any] = {}
        self._generation = 0
        self._lock = threading.Lock()

    def get(self, ids: Iterable[UUID]) -> tuple[dict[UUID, Any], int]:
        """What is held of these, and the generation to `keep` with what is asked for now."""
        with self._lock:
            return {one: self._held[one] for one in ids if one in self._held}, self._generation

    def keep(self, found: dict[UUID, Any], generation: int) -> None:
        """Hold what was found, unless somebody was erased since it was asked for."""
        with self._lock:
            if generation == self._generation:
                if len(self._held) > CACHED:
                    self._held.clear()
                self._held.update(found)

    def forget(self) -> None:
        with self._lock:
            self._generation += 1
            self._held = {}


class Keyring:
    """Thread-safe. Forgets what it has in memory whenever somebody is erased."""

    def __init__(self, pool: Pool, log: Log, progress: Progress, master: bytes) -> None:
        self.pool, self.log, self.progress = pool, log, progress
        self.wrapper = Wrapper(master)
        self._secrets, self._of_owner = _Memory(), _Memory()
        self._master_fits = False
        progress.on_erased(self.forget)

    def forget(self) -> None:
        """Drop every secret held in memory."""
        self._secrets.forget()
        self._of_owner.forget()

    def check_master_key(self) -> None:
        """Raises WrongMasterKey if the keys in the log were wrapped with another one. Nothing is said while there are none."""
        if self._master_fits:
            return
        with self.pool.transaction() as cursor:
            cursor.execute("SELECT wrapped, id, owner FROM index.encryption_key WHERE wrapped IS NOT NULL LIMIT %s", (TRIED,))
            rows = cursor.fetchall()
        for number, (wrapped, key_id, owner) in enumerate(rows, start=1):
            try:
                self.wrapper.unwrap(bytes(wrapped), key_id, owner)
            except WrongMasterKey:
                if number == len(rows):
                    raise
            else:
                self._master_fits = True
                return

    def find(self, ids: Collection[UUID]) -> dict[UUID, bytes | None]:
        """The secrets of these keys: None where the owner was erased, absent where the key is unknown even after `crm.keys` was
        read to its present end (then an event is parked, never redacted)."""
        found, generation = self._secrets.get(ids)
        missing = set(ids) - set(found)
        if missing:
            found |= self._load(missing, generation)
            missing -= set(found)
        if missing:
            self._read_to_end()
            found |= self._load(missing, generation)
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
        back. What was sealed for this owner is unreadable from then on, from the index and the log alike.

        The owner's marker goes first: once it was read back no further key of the owner becomes usable, so that those found then are
        all that anything was sealed with, even if another process made one meanwhile. Raises LogUnreachable: erase again.
        """
        self._append([erased_record(ErasedRecord(owner, owner))])
        with self.pool.transaction() as cursor:
            cursor.execute("SELECT id FROM index.encryption_key WHERE owner = %s", (owner,))
            ids = [row[0] for row in cursor.fetchall()]
        self._append([erased_record(ErasedRecord(key_id, owner)) for key_id in ids])
        self.forget()

    def _read_to_end(self) -> None:
        """Wait until our own reader has passed the present end of `crm.keys`."""
        self.progress.wait_until({(Topic.KEYS, p): end for p, end in self.log.ends(Topic.KEYS).items()}, READ_BACK_SECONDS)

    def _load(self, ids: set[UUID], generation: int) -> dict[UUID, bytes | None]:
        with self.pool.transaction() as cursor:
            cursor.execute("SELECT id, owner, wrapped FROM index.encryption_key WHERE id = ANY(%s)", (list(ids),))
            rows = cursor.fetchall()
        found = {row[0]: None if row[2] is None else self.wrapper.unwrap(bytes(row[2]), row[0], row[1]) for row in rows}
        self._secrets.keep(found, generation)
        return found

    def _known(self, owners: set[UUID]) -> dict[UUID, EncryptionKey]:
        known, generation = self._of_owner.get(owners)
        asked = list(owners - set(known))
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
        self._of_owner.keep(found, generation)
        return known | found

    def _erased_of(self, owners: set[UUID]) -> set[UUID]:
        if not owners:
            return set()
        with self.pool.transaction() as cursor:
            cursor.execute("SELECT owner FROM index.erased_owner WHERE owner = ANY(%s)", (list(owners),))
            return {row[0] for row in cursor.fetchall()}

    def _make(self, owners: set[UUID]) -> None:
        if not self._master_fits:
            self._read_to_end()  # an index that was thrown away knows no key yet that could say so
            self.check_master_key()
        records = []
        for owner in owners:
            key_id, secret = uuid4(), os.urandom(32)
            records.append(key_record(KeyRecord(key_id, owner, self.wrapper.wrap(secret, key_id, owner))))
        self._append(records)

    def _append(self, records: list[Outgoing]) -> None:
        try:
            positions = [future.result(READ_BACK_SECONDS) for future in self.log.append(Topic.KEYS, records, bulk=len(records) > 10)]
        except TimeoutError as error:
            raise LogUnreachable("The log did not take the encryption keys in time; try again.") from error
        if not self.progress.wait_for(positions, READ_BACK_SECONDS):
            raise LogUnreachable("The encryption keys were written but not read back in time; is the indexer running?")
