"""What may stand where PostgreSQL's data should be. Nothing of it is ever destroyed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.postgres.process import ServerProcess
from infra.postgres.server import FolderError, ServerError, open_server
from tests.infra.postgres.processes import Program

OPEN = "import sys; from pathlib import Path; from infra.postgres.server import open_server; open_server(Path(sys.argv[1])).close()"


def test_other_files_in_place_of_the_data_are_refused_and_left_alone(new_folder: Path) -> None:
    open_server(new_folder).close()
    shutil.rmtree(new_folder / "postgres")
    (new_folder / "postgres").mkdir()
    (new_folder / "postgres" / "letter.txt").write_text("mine")
    with pytest.raises(FolderError, match="holds other files, no PostgreSQL data"):
        open_server(new_folder)
    assert (new_folder / "postgres" / "letter.txt").read_text() == "mine"


def test_data_of_another_major_version_are_refused(folder: Path) -> None:
    (folder / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ServerError, match="is of PostgreSQL 16, and this is 18"):
        open_server(folder)
    (folder / "postgres" / "PG_VERSION").write_text("18\n")
    open_server(folder).close()


def test_an_initdb_that_was_killed_is_begun_again(new_folder: Path) -> None:
    with Program(OPEN, new_folder) as program:
        while not (new_folder / "postgres.new" / "base").exists():
            assert program.process.poll() is None
        program.kill()
        assert not (new_folder / "postgres").exists()
    with open_server(new_folder) as server:
        assert server.pid
    assert not (new_folder / "postgres.new").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 20 MB."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", tmp_path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this user cannot mount a small disk to fill")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_a_full_disk_is_named_and_nothing_half_made_is_left(small_disk: Path) -> None:
    with pytest.raises(ServerError, match="is full; make room and start again"):
        open_server(small_disk / "data")
    assert not list((small_disk / "data").glob("postgres*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="data that root brings from elsewhere")
def test_data_that_root_restored_from_a_backup_are_given_to_the_servers_user(folder: Path) -> None:
    subprocess.run(["chown", "-R", "0:0", folder / "postgres"], check=True)
    with open_server(folder):
        assert ServerProcess(folder).alive()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give data to somebody else")
def test_data_of_another_user_are_refused(folder: Path) -> None:
    subprocess.run(["chown", "-R", "65534:65534", folder / "postgres"], check=True)
    with pytest.raises(FolderError, match="postgres belongs to another user"):
        open_server(folder)
