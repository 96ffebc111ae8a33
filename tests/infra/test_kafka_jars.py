"""Where Kafka's jars come from: whole or not at all, once for everybody."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

import pytest

from infra import kafka_jars
from infra.kafka_jars import BrokerError, Jar, class_path

CONTENT = b"a jar"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without any jar, and a list of two."""
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    (tmp_path / "list").write_text(f"org.example:a:1 {sha256}\norg.example:b:2 {sha256}\n")
    monkeypatch.setattr(kafka_jars, "LIST", tmp_path / "list")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def fetched(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was downloaded; each takes a moment."""
    names: list[str] = []

    def found(jar: Jar, temporary: Path) -> Path:
        time.sleep(0.05)
        names.append(jar.file)
        (temporary / jar.file).write_bytes(CONTENT)
        return temporary / jar.file

    monkeypatch.setattr(kafka_jars, "_found", found)
    return names


def jars_of(path: str) -> list[str]:
    assert path.endswith("/*")
    return sorted(jar.name for jar in Path(path[:-2]).iterdir())


def test_several_first_starts_at_once_fetch_once(home: Path, fetched: list[str]) -> None:
    paths: list[str] = []
    threads = [threading.Thread(target=lambda: paths.append(class_path(home / "own", str))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fetched) == ["a-1.jar", "b-2.jar"]
    assert [jars_of(path) for path in paths] == [["a-1.jar", "b-2.jar"]] * 4


def test_a_fetch_that_failed_leaves_nothing_and_is_begun_again(home: Path, fetched: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    working = kafka_jars._found

    def broken(jar: Jar, temporary: Path) -> Path:
        if jar.artifact == "b":
            raise ConnectionError("no route to host")
        return working(jar, temporary)

    monkeypatch.setattr(kafka_jars, "_found", broken)
    with pytest.raises(BrokerError, match=r"could not be fetched \(ConnectionError\); its first start needs the network"):
        class_path(home / "own", str)
    assert not list(home.rglob("*.jar"))
    monkeypatch.setattr(kafka_jars, "_found", working)
    assert jars_of(class_path(home / "own", str)) == ["a-1.jar", "b-2.jar"]
    assert fetched


def test_a_home_that_cannot_be_written_is_done_without(home: Path, fetched: list[str]) -> None:
    (home / ".cache").write_text("not a folder")
    (home / "Library").write_text("not a folder")
    assert class_path(home / "own", str).startswith(f"{home / 'own'}/")
    assert fetched


def test_a_jar_that_is_not_the_tested_one_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = home / "a-1.jar"
    jar.write_bytes(CONTENT[:-1])
    monkeypatch.setattr("jgo.maven.Artifact.resolve", lambda _artifact: jar)
    with pytest.raises(BrokerError, match=r"a-1.jar, as it was downloaded, is not the file that was tested"):
        class_path(home / "own", str)


def test_the_real_list_has_kafka_and_names_each_jar_once() -> None:
    lines = kafka_jars.LIST.read_text("ascii").splitlines()
    assert any(line.startswith("org.apache.kafka:kafka_2.13:") for line in lines)
    assert len({line.rsplit(":", 1)[0] for line in lines}) == len(lines)
    assert all(len(line.split()[1]) == 64 for line in lines)
