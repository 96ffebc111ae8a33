"""The master key: where it comes from, who may read it, and that a wrong one is said."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from threading import Barrier, Thread
from uuid import uuid4

import pytest

from infra.keys.master import FILE, Wrapper, WrongMasterKey, master_key
from infra.settings import Settings, SettingsError


def test_the_settings_come_first(tmp_path: Path) -> None:
    assert master_key(Settings(data=tmp_path, master_key=bytes(32))) == bytes(32)
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    os.umask(old := os.umask(0))
    os.umask(0)
    try:
        key = master_key(Settings(data=tmp_path))
    finally:
        os.umask(old)
    assert len(key) == 32
    assert key != bytes(32)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert master_key(Settings(data=tmp_path)) == key
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_whoever_makes_it_at_the_same_time_gets_the_same(tmp_path: Path) -> None:
    barrier, found = Barrier(8), []

    def open_it() -> None:
        barrier.wait()
        found.append(master_key(Settings(data=tmp_path)))

    threads = [Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_what_a_killed_process_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.{os.getpid()}").write_text("half a k")
    assert len(master_key(Settings(data=tmp_path))) == 32


@pytest.mark.parametrize("text", ["", "\n", "xyz", "00" * 31, "00" * 33, "g0" * 32, "\u0661" * 64])
def test_a_file_that_holds_no_key_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=r"64 hexadecimal digits \(32 bytes\)\.$"):
        master_key(Settings(data=tmp_path))


def test_a_wrapped_key_belongs_to_its_id_and_owner() -> None:
    wrapper, key_id, owner = Wrapper(bytes(32)), uuid4(), uuid4()
    wrapped = wrapper.wrap(b"s" * 32, key_id, owner)
    assert wrapper.unwrap(wrapped, key_id, owner) == b"s" * 32
    for wrong in ((wrapped, uuid4(), owner), (wrapped, key_id, uuid4()), (wrapped[:-1], key_id, owner), (b"", key_id, owner)):
        with pytest.raises(WrongMasterKey):
            wrapper.unwrap(*wrong)
    with pytest.raises(WrongMasterKey, match="CRM_MASTER_KEY"):
        Wrapper(b"1" * 32).unwrap(wrapped, key_id, owner)
