"""Whose a data folder is, and who serves it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from infra.postgres.folder import MARKER, claim_folder, serve_lock
from infra.postgres.server import FolderError
from tests.infra.postgres.processes import Program

SERVE = """
import sys
from pathlib import Path
from infra.postgres.folder import serve_lock
with serve_lock(Path(sys.argv[1])):
    print("serving", flush=True)
    sys.stdin.readline()
"""


def test_a_new_folder_becomes_ours_and_closed_to_others(tmp_path: Path) -> None:
    folder = claim_folder(tmp_path / "a" / "b")
    assert "format = 1" in (folder / MARKER).read_text()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_empty_folder_becomes_ours_and_stays_ours(tmp_path: Path) -> None:
    assert claim_folder(tmp_path) == claim_folder(tmp_path)


def test_what_a_fresh_volume_holds_is_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    assert claim_folder(tmp_path) == tmp_path


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FolderError, match=r"other files \(thesis.txt\)"):
        claim_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FolderError, match="is not a folder"):
            claim_folder(path)


def test_a_claim_cut_short_is_taken_up_again(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    claim_folder(tmp_path)
    assert "format = 1" in (tmp_path / MARKER).read_text()


@pytest.mark.parametrize(
    ("text", "reason"),
    [("format = 2", "newer version"), ("title = 'mine'", "not a marker"), ("format = true", "not a marker"), ("[", "not a marker")],
)
def test_a_marker_that_we_did_not_write_is_refused_and_left_alone(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / MARKER).write_text(text)
    with pytest.raises(FolderError, match=reason):
        claim_folder(tmp_path)
    assert (tmp_path / MARKER).read_text() == text


def test_a_name_with_a_line_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="line break"):
        claim_folder(tmp_path / "a\nb")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_folder_of_another_user_is_refused_to_root_too(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(FolderError, match="belongs to another user"):
        claim_folder(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_is_served_by_one_process_at_a_time(tmp_path: Path) -> None:
    with Program(SERVE, tmp_path) as other:
        assert other.line() == "serving"
        with pytest.raises(FolderError, match=f"already served, by process {other.process.pid};"), serve_lock(tmp_path):
            pass
        other.kill()
    with serve_lock(tmp_path):
        pass
    with serve_lock(tmp_path):
        pass


def test_an_error_while_serving_is_not_taken_for_one_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), serve_lock(tmp_path):
        raise PermissionError
