"""What is built from this checkout holds every file of the product, nothing else, and works where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from tests.architecture import MAY_IMPORT

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def run(*command: str | Path, folder: Path) -> str:
    """The command's standard output. No setting of ours and no PYTHONPATH reaches it; a failure shows what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CRM_", "PYTHON"))}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def product_files() -> set[str]:
    """Every file that a user of the product needs: all that stands in its packages, whatever it is."""
    files = (path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    return {file.as_posix() for file in files if file.suffix != ".pyc" and not any(part.startswith(".") for part in file.parts)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, built by way of the source distribution, as an installer without a wheel would."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, folder=ROOT)
    (archive,) = folder.glob("*.tar.gz")
    shutil.unpack_archive(archive, folder, filter="data")
    source = folder / archive.name.removesuffix(".tar.gz")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=source)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a fresh environment that holds this wheel; the packages it needs are those of the running one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    (site / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        folder / "bin/python",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        wheel,
        folder=folder,
    )
    return folder / "bin"


def metadata(wheel: Path, name: str) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (path for path in archive.namelist() if path.endswith(f".dist-info/{name}"))
        return message_from_bytes(archive.read(path))


def test_the_wheel_holds_every_file_of_the_product_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == product_files()
    assert {"infra/log/contract.py", "infra/py.typed"} <= held
    assert {name.partition("/")[0] for name in held} == set(MAY_IMPORT)


def test_the_wheel_says_what_it_needs_and_under_which_licence(wheel: Path) -> None:
    said = metadata(wheel, "METADATA")
    assert len(said.get_all("Requires-Dist", [])) == len(PROJECT["project"]["dependencies"])
    assert said["License-Expression"] == "Apache-2.0"
    assert said["License-File"] == "LICENSE"
    assert said["Requires-Python"] == PROJECT["project"]["requires-python"]


def test_the_installed_modules_are_those_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import infra.log.contract as c; print(c.__file__)", folder=tmp_path).strip()
    assert Path(where).is_relative_to(installed.parent)


def test_the_installed_command_helps_from_any_folder(installed: Path, tmp_path: Path) -> None:
    said = run(installed / "crm", "--help", folder=tmp_path)
    assert "usage: crm" in said
    assert not list(tmp_path.iterdir())
