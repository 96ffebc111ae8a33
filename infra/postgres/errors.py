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
