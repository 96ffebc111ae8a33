"""PostgreSQL's data on disk: made once, looked at before each start."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from infra.postgres.account import initdb_account, server_account
from infra.postgres.errors import FolderError, ServerError, explained, why_it_failed
from infra.postgres.installation import ENVIRONMENT, MAJOR, SUPERUSER, binary

INITDB = (
    *("-E", "UTF8", "-U", SUPERUSER, "--auth-local=trust", "--auth-host=reject", "--no-instructions"),
    *("-c", "dynamic_shared_memory_type=mmap"),  # an initdb that is killed leaves nothing outside of its folder
    # Names sort by code point on every machine alike, and lower() knows every alphabet, not only English.
    *("--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)


def require_cluster(data: Path, held: int) -> None:
    """See that `data` is a cluster that we can run, and make one if there is nothing.

    held: a descriptor that initdb inherits, so that its lock lasts as long as it runs. Raises ServerError; destroys nothing.
    """
    with explained(data):
        if not data.exists() or not any(data.iterdir()):
            _make(data, held)
            return
        version = data / "PG_VERSION"
        if not version.exists():
            raise FolderError(f"{data} holds other files, no PostgreSQL data; move them away or choose another data folder (--data).")
        major = version.read_text("ascii", "replace").strip()
        if major != str(MAJOR):
            raise ServerError(
                f"{data} is of PostgreSQL {major}, and this is {MAJOR}; dump it with the old one and load it into a new folder."
            )
        _require_owner(data)


def _require_owner(data: Path) -> None:
    account = server_account()
    owner = data.stat().st_uid
    if owner == os.geteuid() and account.uid is not None:
        account.own(data)  # root brought it from elsewhere: a copy, a backup
    elif owner != (os.geteuid() if account.uid is None else account.uid):
        raise FolderError(f"{data} belongs to another user; run as the user who made it or choose another data folder (--data).")


def _make(data: Path, held: int) -> None:
    """initdb beside, then rename: a half-made cluster never has the name of a whole one."""
    new = data.with_name("postgres.new")
    if new.exists():
        shutil.rmtree(new)  # of a start that was killed; we hold the lock under which it was made
    new.mkdir(mode=0o700)
    try:
        _initdb(new, held)
        if data.exists():
            data.rmdir()
        new.rename(data)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _initdb(new: Path, held: int) -> None:
    account = initdb_account()
    account.own(new)
    command = account.command(binary("initdb"), "-D", str(new), *INITDB, touching=[new])
    done = subprocess.run(command, env=ENVIRONMENT, cwd="/", capture_output=True, text=True, errors="replace", pass_fds=[held], check=False)
    if done.returncode:
        raise ServerError(why_it_failed(new.with_name("postgres"), done.stderr))
    server_account().own(new)
