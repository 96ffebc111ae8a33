"""What can go wrong with the data folder and the server in it, each as one sentence that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ServerError(Exception):
    """The embedded PostgreSQL cannot be had; the message is a sentence."""


class FolderError(ServerError):
    """The data folder cannot be used; the message is a sentence."""


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn the operating system's errors about `folder` into a FolderError."""
    try:
        yield
    except OSError as error:
        raise FolderError(_sentence(folder, error)) from error


def _sentence(folder: Path, error: OSError) -> str:
    match error.errno:
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"{folder} cannot be written by this user; choose another data folder (--data) or correct its permissions."
        case errno.ENOSPC | errno.EDQUOT:
            return f"The disk that holds {folder} is full; make room and start again."
        case errno.ENOTDIR | errno.EEXIST:
            return f"{folder} is not a folder; choose another data folder (--data)."
        case errno.ENOLCK | errno.ENOTSUP | errno.ENOSYS:
            return f"The file system that holds {folder} cannot lock files; choose a data folder (--data) on a local disk."
        case _:
            return f"{folder} cannot be used ({error.strerror or error}); choose another data folder (--data)."


NO_SPACE = ("No space left on device", "Disk quota exceeded", "wrote only")
GRAVE = ("FATAL:", "PANIC:", "LAUNCH:", "error:")


def why_it_failed(data: Path, output: str) -> str:
    """A sentence for the last grave thing that PostgreSQL, or the launcher before it, said."""
    if any(words in output for words in NO_SPACE):
        return f"The disk that holds {data} is full; make room and start again."
    lines = [line.strip() for line in output.splitlines() if line.strip() and "the database system is" not in line]
    grave = [line.partition(word)[2].strip() for line in lines for word in GRAVE if word in line]
    reason = (grave or lines or ["it said nothing"])[-1].rstrip(".")
    return f"PostgreSQL cannot start in {data}: {reason}."
