"""The Makefile builds its environment when it must and only then, whatever stands around it. Python is a script that notes its calls."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = """#!/bin/sh
echo "[$PYTHONPATH$VIRTUAL_ENV$PIP_USER] $*" >> "$CALLS"
case "$*" in
  *version_info*) exit "${TOO_OLD:-0}" ;;
  *_base_executable*) echo "$0" ;;
  *runs*) echo runs ;;
  "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *requirements.lock) exit "${NO_NETWORK:-0}" ;;
esac
"""


@dataclass
class Checkout:
    folder: Path
    calls: Path
    python: Path

    def make(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        self.calls.write_text("")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
        environment = {**inherited, "CALLS": str(self.calls), **settings}
        command = ["make", f"PYTHON={self.python}", *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def asked(self) -> list[str]:
        """What Python was called for, but for the look whether it runs."""
        return [line for line in self.calls.read_text("utf-8").splitlines() if "runs" not in line]

    def built(self) -> bool:
        return any("-m venv" in line for line in self.asked())


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "a folder with spaces"
    (folder / "examples").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    demo = folder / "examples/demo.sh"
    demo.write_text("#!/bin/sh\necho the demo ran\n", "utf-8")
    python = tmp_path / "bin/python3"
    python.parent.mkdir()
    python.write_text(PYTHON, "utf-8")
    for script in (demo, python):
        script.chmod(0o755)
    return Checkout(folder, tmp_path / "calls", python)


def test_the_demo_needs_the_runtime_lock_alone(checkout: Checkout) -> None:
    done = checkout.make("demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("the demo ran\n")
    installs = [line for line in checkout.asked() if "pip install" in line]
    assert [line.split()[-1] for line in installs] == ["requirements.lock", "."]
    assert "--require-hashes" in installs[0]
    assert "--no-index" in installs[1]


def test_the_environment_is_built_once_and_shared(checkout: Checkout) -> None:
    checkout.make("demo")
    checkout.make("test")
    assert not checkout.built()
    assert checkout.asked()[0].endswith("--require-hashes -r requirements-dev.lock")
    checkout.make("test", "ARGS=-k log")
    assert checkout.asked() == ["[] -m pytest -k log"]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_changed_lock_builds_it_anew(checkout: Checkout, lock: str) -> None:
    checkout.make("test")
    (checkout.folder / lock).touch()
    checkout.make("test")
    assert not checkout.built()
    with (checkout.folder / lock).open("a") as file:
        file.write("another==1\n")
    checkout.make("test")
    assert checkout.built()


def test_a_moved_checkout_builds_it_anew(checkout: Checkout) -> None:
    checkout.make("test")
    checkout.folder = checkout.folder.rename(checkout.folder.parent / "moved")
    checkout.make("test")
    assert checkout.built()


def test_an_environment_whose_python_is_gone_is_built_anew(checkout: Checkout) -> None:
    checkout.make("test")
    (checkout.folder / ".venv/bin/python").unlink()
    checkout.make("test")
    assert checkout.built()


def test_an_installation_that_failed_is_tried_again(checkout: Checkout) -> None:
    failed = checkout.make("test", NO_NETWORK="1")
    assert failed.returncode == 2
    assert "a network is needed the first time" in failed.stderr
    assert checkout.make("test").returncode == 0
    assert checkout.built()


def test_nothing_of_an_activated_environment_reaches_ours(checkout: Checkout) -> None:
    checkout.make("test", PYTHONPATH="/elsewhere", VIRTUAL_ENV="/elsewhere", PIP_USER="1")
    assert all(line.startswith("[] ") for line in checkout.asked())


@pytest.mark.parametrize("target", ["demo", "test", "lock"])
def test_an_old_python_is_refused_in_a_sentence(checkout: Checkout, target: str) -> None:
    done = checkout.make(target, TOO_OLD="1")
    assert done.returncode == 2
    assert "Annals needs Python 3.11 or newer" in done.stderr
    assert not (checkout.folder / ".venv").exists()


def test_a_missing_python_is_refused_in_a_sentence(checkout: Checkout) -> None:
    done = checkout.make("test", "PYTHON=/nowhere/python3")
    assert done.returncode == 2
    assert "/nowhere/python3 is not: install one" in done.stderr


def test_the_list_names_every_target(checkout: Checkout) -> None:
    phony = next(line for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if line.startswith(".PHONY:")).split()[1:]
    listed = {line.split()[1] for line in checkout.make().stdout.splitlines()}
    assert listed == set(phony) - {"help", "check-format"}


def test_cleaning_spares_what_people_made(checkout: Checkout) -> None:
    checkout.make("test")
    data = checkout.folder / "annals-data"
    data.mkdir()
    (checkout.folder / "domain/__pycache__").mkdir(parents=True)
    assert checkout.make("clean").returncode == 0
    left = {path.name for path in checkout.folder.iterdir()}
    assert left == {"Makefile", "requirements.lock", "requirements-dev.lock", "pyproject.toml", "examples", "annals-data", "domain"}
    assert not list((checkout.folder / "domain").iterdir())
