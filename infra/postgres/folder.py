"""The data folder: whose it is, and who serves it.

annals.toml      the marker: this folder is ours, in this format
locks/           flock files: start, users and server (of PostgreSQL), serve (of `crm serve`)
postgres/        PostgreSQL's data
postgres.log     what PostgreSQL says
"""

from __future__ import annotations

import os
import pwd
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.postgres.errors import FolderError, explained
from infra.postgres.locks import FileLock

FORMAT = 1
MARKER = "annals.toml"
NOT_OURS_BUT_HARMLESS = {"lost+found", ".DS_Store"}  # in the root of a fresh volume; left by a file browser


def claim_folder(folder: Path) -> Path:
    """Make a new or empty folder ours, or see that it is; return its absolute path. Safe to repeat, from several processes.

    Raises FolderError if it holds foreign files, belongs to another user, or is of a newer format. Changes nothing then.
    """
    folder = folder.absolute()
    if "\n" in str(folder):
        raise FolderError("The name of the data folder has a line break in it; choose another one (--data).")
    with explained(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = folder.resolve()
        _require_owner(folder)
        with FileLock(folder) as claim:
            if not claim.exclusive_within(10):
                raise FolderError(f"Another process has held {folder} for ten seconds; try again when it is done.")
            _require_mark(folder)
        (folder / "locks").mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def serve_lock(folder: Path) -> Iterator[None]:
    """Held by `crm serve` for as long as it serves `folder`. Raises FolderError if another process serves it."""
    folder = claim_folder(folder)
    with explained(folder):
        lock = FileLock(folder / "locks" / "serve")
    with lock:
        if not lock.exclusive():
            holder = os.pread(lock.fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise FolderError(
                f"{folder} is already served, by process {holder}; stop that one first or choose another data folder (--data)."
            )
        os.ftruncate(lock.fd, 0)
        os.pwrite(lock.fd, f"{os.getpid()}\n".encode("ascii"), 0)
        yield


def _require_owner(folder: Path) -> None:
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        raise FolderError(
            f"{folder} belongs to another user ({user_name(owner)}); run as that user or choose another data folder (--data)."
        )


def _require_mark(folder: Path) -> None:
    marker = folder / MARKER
    if not marker.exists():
        foreign = sorted(path.name for path in folder.iterdir() if path.name not in NOT_OURS_BUT_HARMLESS)
        if foreign:
            raise FolderError(f"{folder} holds other files ({foreign[0]}); choose a new or empty data folder (--data).")
    if not marker.exists() or not marker.stat().st_size:  # empty: whoever claimed it died half-way
        marker.write_text(f"# This folder belongs to Annals; do not change it by hand.\nformat = {FORMAT}\n", "utf-8")
    number = _format(marker)
    if number is None:
        raise FolderError(f"{marker} is not a marker that Annals wrote; choose a new or empty data folder (--data).")
    if number > FORMAT:
        raise FolderError(f"{folder} was made by a newer version of Annals (format {number}); upgrade this one.")


def _format(marker: Path) -> int | None:
    try:
        number = tomllib.loads(marker.read_text("utf-8")).get("format")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    return number if type(number) is int else None


def user_name(uid: int) -> str:
    """The user's name, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
