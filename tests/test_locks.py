"""The locks hold what pyproject.toml asks for, each package with its hashes, and name no registry."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ASKED = {
    "requirements.lock": [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]],
    "requirements-dev.lock": PROJECT["dependency-groups"]["dev"],
}


def pins(text: str) -> dict[str, str]:
    """The version of each package that a lock names."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def unmet(lock: str, asked: Iterable[str]) -> list[str]:
    """The requirements that the lock does not meet."""
    locked = pins(lock)
    return [text for text in asked if not met(Requirement(text), locked)]


def met(requirement: Requirement, locked: dict[str, str]) -> bool:
    version = locked.get(canonicalize_name(requirement.name))
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def unhashed(lock: str) -> list[str]:
    """The packages of the lock that an installer could not check."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", "\n" + lock)[1:]
    return [entry.split()[0] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)]


@pytest.mark.parametrize("name", ASKED)
def test_a_lock_meets_the_project_and_can_be_checked(name: str) -> None:
    lock = (ROOT / name).read_text("utf-8")
    assert not unmet(lock, ASKED[name]), "run `make lock` and commit both locks"
    assert not unhashed(lock)
    assert "://" not in lock
    assert not re.search(r"^\s*-(i|f|-index-url|-extra-index-url|-find-links|e|-trusted-host)\b", lock, re.MULTILINE)


def test_developers_run_what_users_run() -> None:
    used, developed = (pins((ROOT / name).read_text("utf-8")) for name in ASKED)
    assert used.items() <= developed.items()


def test_a_lock_that_lacks_something_is_found() -> None:
    lock = "a-b==1.2 ; sys_platform == 'x' \\\n    --hash=sha256:" + "0" * 64 + "\nc==3\n"
    assert unmet(lock, ["A_b>=1.2", "c<3", "d"]) == ["c<3", "d"]
    assert unhashed(lock) == ["c==3"]
