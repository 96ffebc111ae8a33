"""Which user PostgreSQL runs as. It refuses to run as root, so root lends it a user number that nobody else has.

A data folder or a Python below a closed folder (such as /root) stays closed: its mode and owner are not touched. There the
server keeps one Linux capability, to pass through folders that its own user may not enter.
"""

from __future__ import annotations

import os
import pwd
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.postgres.errors import FolderError, ServerError

LENT_UID = 65530
"""Neither Linux distributions nor systemd give this number to anybody (systemd, UIDS-GIDS: 65520-65533), and containers map it."""

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Account:
    """The user of a PostgreSQL process. `uid` None: the one we are."""

    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        """Give `path`, with all that is in it, to this user. Raises FolderError."""
        if self.uid is None or self.gid is None:
            return
        try:
            for folder, folders, files in os.walk(path):
                for name in ("", *folders, *files):
                    os.chown(Path(folder, name), self.uid, self.gid, follow_symlinks=False)
        except OSError as error:
            raise FolderError(
                f"PostgreSQL does not run as root, and {path} cannot be given to another user here ({error.strerror}); "
                "run as an ordinary user or choose another data folder (--data)."
            ) from error

    def command(self, program: Path, *arguments: str, touching: Iterable[Path]) -> list[str]:
        """The command line that runs `program` as this user, able to reach `touching`."""
        if self.uid is None:
            return [str(program), *arguments]
        capabilities = _capabilities(program, touching)
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(self.uid), str(self.gid), ",".join(map(str, capabilities))]
        return [*launcher, str(program), *arguments]


def server_account() -> Account:
    """The user that the server runs as, and that owns its data."""
    return Account() if os.geteuid() else Account(LENT_UID, LENT_UID)


def initdb_account() -> Account:
    """The user that makes the data folder: initdb, unlike the server, wants one with a name. Raises ServerError."""
    if os.geteuid():
        return Account()
    named = sorted(pwd.getpwall(), key=lambda entry: entry.pw_name != "nobody")
    for entry in named:
        if entry.pw_uid:
            return Account(entry.pw_uid, entry.pw_gid)
    raise ServerError("PostgreSQL cannot run as root, and this system has no other user; create one and run as that user.")


def _capabilities(program: Path, touching: Iterable[Path]) -> tuple[int, ...]:
    """What to keep, in order of preference: nothing where any user can reach everything."""
    if not program.stat().st_mode & stat.S_IXOTH:
        return (CAP_DAC_OVERRIDE,)  # the weaker one does not let it start a program that is not its own
    if all(_open_to_all(path) for path in (program, *touching)):
        return ()
    return (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE)  # containers often grant only the second


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)
