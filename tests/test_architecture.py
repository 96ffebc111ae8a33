"""The code keeps the rules of tests/architecture.py, and each of those rules can fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import MAY_IMPORT, findings, sources

ROOT = Path(__file__).parent.parent


def tree(root: Path, files: dict[str, str]) -> Path:
    """Write the files, an `__init__.py` into each of their folders, and a test beside each folder of the product."""
    for name, text in files.items():
        for folder in (root / name).parents:
            if folder.is_relative_to(root) and folder != root:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "__init__.py").touch()
        (root / name).write_text(text, "utf-8")
        if name.partition("/")[0] in MAY_IMPORT:
            tree(root, {f"tests/{Path(name).parent.as_posix()}/test_something.py": ""})
    return root


def test_the_code_keeps_the_rules() -> None:
    found = findings(ROOT)
    assert not found, "\n".join(found)


BROKEN = [
    ("domain/a.py", "import projections.b", "imports projections.b; of ours, domain/ may import nothing."),
    ("domain/a.py", "def f():\n    from infra import log", "domain/a.py:2 imports infra.log"),
    ("domain/a.py", "from .. import infra", "imports infra; of ours"),
    ("domain/a.py", "import orjson", "imports orjson; of others, domain/ may import the standard library and phonenumbers."),
    ("domain/a.py", "import tests.spec", "imports tests.spec"),
    ("projections/a.py", "from infra.codec import rows", "of ours, projections/ may import domain."),
    ("projections/a.py", "if TYPE_CHECKING:\n    from api import pages", "projections/a.py:2 imports api.pages"),
    ("infra/a.py", "import projections", "of ours, infra/ may import domain."),
    ("infra/log/a.py", "from consumers import indexer", "imports consumers.indexer"),
    ("infra/a.py", "from infra.cli import main", "imports infra.cli.main; a main file is imported by nobody"),
    ("infra/a.py", "from . import cli", "imports infra.cli; a main file is imported by nobody"),
    ("consumers/a.py", "from api.pages import x", "of ours, consumers/ may import domain and infra and projections."),
    ("consumers/a.py", "import consumers.__main__", "a main file is imported by nobody"),
    ("api/a.py", "import consumers.indexer", "of ours, api/ may import domain and infra and projections."),
    ("api/a.py", "import bench.log", "imports bench.log"),
    ("api/a.py", "x = importlib.import_module('consumers')", "calls import_module; an import statement"),
    ("consumers/a.py", "def f():\n    for m in pkgutil.iter_modules(): ...", "consumers/a.py:2 calls iter_modules"),
    (
        "infra/a.py",
        "import os\ndef f():\n    return os.environ['X']",
        "infra/a.py:3 uses os.environ; only infra/settings.py reads the environment.",
    ),
    ("infra/a.py", "import os.path as p, os as o\nx = o.getenv('X')", "infra/a.py:2 uses os.getenv"),
    ("infra/cli/a.py", "from os import environ as e", "imports os.environ; only infra/settings.py"),
    ("infra/a.py", "CONNECTION = psycopg2.connect('')", "infra/a.py:1 calls connect when it is imported; do it in a function."),
    ("infra/a.py", "class A:\n    server = make().start()", "infra/a.py:2 calls start when it is imported"),
    ("infra/a.py", "def f(now=datetime.now()): ...", "calls now when it is imported"),
    ("infra/a.py", "f = lambda *, x=uuid4(): x", "calls uuid4 when it is imported"),
    ("infra/a.py", "try:\n    TEXT = open('x').read()\nexcept OSError: ...", "infra/a.py:2 calls open"),
    ("infra/a.py", "@app.run()\ndef f(): ...", "calls run when it is imported"),
    ("infra/a.py", "X = [open(n) for n in NAMES]", "calls open when it is imported"),
    ("domain/a.py", "if TYPE_CHECKING:\n    pass\nelse:\n    print()", "domain/a.py:4 calls print"),
    ("domain/a.py", "X = 1\n" * 401, "domain/a.py has 401 lines; split it by idea"),
    ("bench/a.py", "X = 1\n" * 401, "bench/a.py has 401 lines"),
    ("domain/a.py", "def", "domain/a.py:1 is no Python"),
    ("tests/infra/nowhere/test_a.py", "", "tests/infra/nowhere/ tests no folder of ours"),
]


@pytest.mark.parametrize(("name", "text", "sentence"), BROKEN, ids=[sentence[:50] for _, _, sentence in BROKEN])
def test_each_rule_can_fail(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    found = findings(tree(tmp_path, {name: text}))
    assert len(found) == 1, found
    assert sentence in found[0]


ALLOWED = [
    (
        "domain/a.py",
        "from __future__ import annotations\nimport phonenumbers.geocoder, datetime\nfrom domain import b\nfrom . import c",
    ),
    ("projections/a.py", "from domain.ticket import Ticket\nfrom projections import b\nimport orjson"),
    ("consumers/a.py", "import infra.log, projections, domain\nfrom infra import client"),
    ("infra/cli/a.py", "import api.main, consumers, projections, infra.cli\nfrom importlib import import_module\nimport_module('x')"),
    ("api/main.py", "import consumers.indexer"),
    ("consumers/__main__.py", "import api.main\nif __name__ == '__main__':\n    run()"),
    ("infra/settings.py", "import os\ndef f():\n    return os.environ, os.getenv('X')"),
    (
        "infra/a.py",
        "import os\nfrom functools import cache\nSEP = os.sep\nclass A:\n    def f(self):\n        return open('x')",
    ),
    (
        "infra/a.py",
        "F = lambda: connect()\ndef g(clock=lambda: now(), *, h=lambda: open('x')): ...",
    ),
    ("tests/test_a.py", "import os, infra.cli, bench.log\nprint(os.environ)"),
    ("domain/a.py", "X = 1\n" * 400),
]


@pytest.mark.parametrize(("name", "text"), ALLOWED)
def test_what_the_rules_allow_is_not_found(tmp_path: Path, name: str, text: str) -> None:
    assert findings(tree(tmp_path, {name: text})) == []


def test_a_folder_without_an_init_file_is_found(tmp_path: Path) -> None:
    tree(tmp_path, {"infra/log/a.py": ""})
    (tmp_path / "infra/__init__.py").unlink()
    assert findings(tmp_path) == ["infra/ has no __init__.py; without it another folder of this name may be imported instead."]


def test_a_package_without_tests_is_found(tmp_path: Path) -> None:
    tree(tmp_path, {"infra/log/a.py": "", "infra/log/deep/b.py": "", "infra/codec/c.py": ""})
    (tmp_path / "tests/infra/log/test_something.py").unlink()
    assert findings(tmp_path) == []
    (tmp_path / "tests/infra/log/deep/test_something.py").unlink()
    assert findings(tmp_path) == ["infra/log/ has no tests; they belong in tests/infra/log/."]


IMPORT_ALL = """
import importlib, json, os, sys, threading

seen = []
def hear(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes or event in ("socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.fork", "os.posix_spawn", "os.mkdir"):
        seen.append(f"{event} {arguments[0]}")
sys.addaudithook(hear)
for name in sys.argv[1:]:
    before = len(seen)
    importlib.import_module(name)
    seen[before:] = [f"{name}: {what}" for what in seen[before:]]
threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
print(json.dumps(seen + threads), flush=True)
os._exit(0)  # waits for no thread
"""


def what_importing_does(root: Path, modules: list[str]) -> list[str]:
    """The files written, processes, connections and threads that importing the modules starts, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", IMPORT_ALL, *modules]
    run = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    found: list[str] = json.loads(run.stdout)
    return found


def test_importing_every_module_starts_nothing_and_prints_nothing() -> None:
    paths = [path.relative_to(ROOT) for path in sources(ROOT) if path.relative_to(ROOT).parts[0] in MAY_IMPORT]
    modules = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths if path.name != "__main__.py"]
    assert "infra.log.contract" in modules
    assert what_importing_does(ROOT, modules) == []


def test_work_at_import_is_heard(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(
        "import subprocess, threading\nsubprocess.run(['true'])\nthreading.Timer(60, print).start()\n", "utf-8"
    )
    process, *threads = what_importing_does(tmp_path, ["busy"])
    assert process.startswith("busy: subprocess.Popen")
    assert len(threads) == 1
