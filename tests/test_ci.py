"""`.ci/run` passes only where the checks passed and a real Kafka broker was there. `make` and Debian's tools are scripts here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = ("bash", "dirname", "mktemp", "tee", "sed", "tail", "rm", "timeout")
COUNT = "kafka tests against a real broker: {} passed\n"
CLOSING = "======== 120 passed in 61.20s ========\n"


def script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with the commands that `.ci/run` finds, kcat among them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"{tool} is needed to run .ci/run"
        (folder / tool).symlink_to(found)
    script(folder / "kcat", "exit 0")
    return folder


def ci(tools: Path, output: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run `.ci/run` where `make check` prints `output` and ends with `status`."""
    (tools.parent / "output").write_text(output, "utf-8")
    called_well = '[ "$*$ANNALS_WITHOUT_KAFKA" = "--keep-going check" ]'
    script(tools / "make", f'{called_well} && while read -r line; do echo "$line"; done <"{tools.parent}/output"; exit {status}')
    environment = {"PATH": str(tools), "ANNALS_WITHOUT_KAFKA": "1"}
    return subprocess.run([ROOT / ".ci/run"], env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_it_passes_and_ends_with_the_closing_line_of_pytest(tools: Path) -> None:
    done = ci(tools, COUNT.format(14) + CLOSING)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(CLOSING)


@pytest.mark.parametrize("count", ["", COUNT.format(0), "no " + COUNT.format(3)])
def test_it_fails_where_no_test_met_a_real_broker(tools: Path, count: str) -> None:
    done = ci(tools, count + CLOSING)
    assert done.returncode == 1
    assert "No test ran against a real Kafka broker" in done.stderr


@pytest.mark.parametrize(("status", "sentence"), [(2, "make check failed"), (124, "took longer than 80 minutes")])
def test_it_fails_where_a_check_failed(tools: Path, status: int, sentence: str) -> None:
    done = ci(tools, COUNT.format(14) + CLOSING, status)
    assert done.returncode == 1
    assert sentence in done.stderr


@pytest.mark.parametrize(("user", "called"), [(0, True), (1000, False)])
def test_debian_packages_are_installed_by_root_alone(tools: Path, user: int, called: bool) -> None:
    (tools / "kcat").unlink()
    script(tools / "id", f"echo {user}")
    script(tools / "apt-get", f'echo "$*" >> "{tools.parent}/apt"')
    assert ci(tools, COUNT.format(14) + CLOSING).returncode == 0
    noted = tools.parent / "apt"
    assert noted.exists() == called
    assert not called or noted.read_text("utf-8").rstrip().endswith("install -y -qq --no-install-recommends kcat")
