"""The server as root, as root without its powers, and as an ordinary user."""

from __future__ import annotations

import os
import pwd
import stat
import sys
from pathlib import Path

import pytest

from infra.postgres.account import LENT_UID
from infra.postgres.server import open_server
from tests.infra.postgres.processes import as_ordinary_user, user_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="these are about root on Linux")

# CAP_SETPCAP (8) is gone after the next exec (24 is PR_CAPBSET_DROP): this root cannot hand a capability on.
WITHOUT_POWER = (
    sys.executable,
    "-c",
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 8, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])",
)


@pytest.fixture
def nobody() -> int:
    """An ordinary user who has a name."""
    return pwd.getpwnam("nobody").pw_uid


def test_root_lends_the_server_a_user_and_leaves_the_folders_above_as_they_are(new_folder: Path) -> None:
    above = new_folder.parent
    assert stat.S_IMODE(above.stat().st_mode) == 0o700
    with open_server(new_folder) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == LENT_UID
        assert (new_folder / "postgres").stat().st_uid == LENT_UID
    assert (above.stat().st_uid, stat.S_IMODE(above.stat().st_mode)) == (0, 0o700)
    assert (new_folder.stat().st_uid, stat.S_IMODE(new_folder.stat().st_mode)) == (0, 0o700)


def capabilities(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("CapEff:")[2].split()[0], 16)


def test_the_server_keeps_one_capability_where_folders_are_closed_and_none_where_they_are_open(folder: Path) -> None:
    with open_server(folder) as server:
        assert capabilities(server.pid).bit_count() == 1
    folder.chmod(0o711)
    folder.parent.chmod(0o711)
    with open_server(folder) as server:
        assert capabilities(server.pid) == 0


def test_root_without_the_capability_says_where_to_put_the_folder(folder: Path) -> None:
    with user_of(folder, before=WITHOUT_POWER) as program:
        assert "use a data folder (--data) and a Python that every user may reach" in program.line()


def test_root_without_the_capability_works_in_an_open_folder(folder: Path) -> None:
    if any(not parent.stat().st_mode & stat.S_IXOTH for parent in Path(sys.executable).parents):
        pytest.skip("this Python is in a closed folder")
    folder.chmod(0o711)
    folder.parent.chmod(0o711)
    with user_of(folder, before=WITHOUT_POWER) as program:
        assert int(program.line()) > 0
        assert program.end() == 0


def test_an_ordinary_user_runs_the_server_as_themselves(new_folder: Path, nobody: int) -> None:
    new_folder.mkdir(mode=0o700)
    os.chown(new_folder, nobody, nobody)
    with user_of(new_folder, before=as_ordinary_user(nobody)) as program:
        pid = int(program.line())
        assert Path(f"/proc/{pid}").stat().st_uid == nobody
        with user_of(new_folder) as root:
            assert "belongs to another user (nobody)" in root.line()
        assert program.end() == 0
    assert not Path(f"/proc/{pid}/cwd").exists()


def test_an_ordinary_user_is_kept_out_of_roots_folder(folder: Path, nobody: int) -> None:
    with user_of(folder, before=as_ordinary_user(nobody)) as program:
        assert "belongs to another user (root)" in program.line()


def test_an_ordinary_user_learns_that_a_folder_cannot_be_written(new_folder: Path, nobody: int) -> None:
    with user_of(new_folder, before=as_ordinary_user(nobody)) as program:
        assert f"refused: {new_folder} cannot be written by this user; choose another data folder" in program.line()
