"""The master key: wraps every encryption key. It is in the settings, or in a file of the data folder made on first use."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.settings import Settings, SettingsError, read_master_key

FILE = "master.key"


class WrongMasterKey(SettingsError):
    """The encryption keys in the log were not wrapped with this master key; the message says what to do."""


def master_key(settings: Settings) -> bytes:
    """The key from the settings, else from the data folder's file, made with mode 600 if there is none yet."""
    if settings.master_key is not None:
        return settings.master_key
    path = settings.data / FILE
    if not path.exists():
        with suppress(FileExistsError):  # another process made it meanwhile
            _create(path)
    return read_master_key(path.read_text("ascii", errors="replace"), str(path))


def _create(path: Path) -> None:
    """Written whole under another name first, so that nobody ever reads half a key."""
    descriptor, draft = mkstemp(prefix=f"{FILE}.", dir=path.parent)  # of mode 600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(os.urandom(32).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        Path(draft).unlink()
    _make_durable(path.parent)


def _make_durable(folder: Path) -> None:
    """The file's name, too, must outlive a loss of power: what is sealed from now on can be opened with this key alone."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Wrapper:
    """Wraps and unwraps encryption keys; key id and owner are bound to the wrapped bytes."""

    def __init__(self, master: bytes) -> None:
        self._cipher = AESGCM(master)

    def wrap(self, secret: bytes, key_id: UUID, owner: UUID) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, secret, f"{key_id}|{owner}".encode())

    def unwrap(self, wrapped: bytes, key_id: UUID, owner: UUID) -> bytes:
        """Raises WrongMasterKey."""
        try:
            return self._cipher.decrypt(wrapped[:12], wrapped[12:], f"{key_id}|{owner}".encode())
        except (InvalidTag, ValueError) as error:
            raise WrongMasterKey(
                "The master key does not fit the encryption keys in the log: give the right one in CRM_MASTER_KEY or CRM_MASTER_KEY_FILE."
            ) from error
