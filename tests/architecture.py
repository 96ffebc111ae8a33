"""The rules of the code base as a function over a tree of sources: `findings(root)` says in a sentence each what breaks one.

Source: the table of folders in docs/architecture.md. Only the text is read; nothing is imported.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MAY_IMPORT = {
    "domain": set[str](),
    "projections": {"domain"},
    "consumers": {"domain", "projections", "infra"},
    "api": {"domain", "projections", "infra"},
    "infra": {"domain"},
}
"""For each folder of the product, which others of ours it may import besides itself."""

OURS = {*MAY_IMPORT, "bench", "docs", "examples", "tests"}
DOMAIN_LIBRARIES = {"phonenumbers"}
SETTINGS = "infra/settings.py"
MAX_LINES = 400

ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
IMPORT_BY_NAME = {"__import__", "import_module", "walk_packages", "iter_modules"}
WORK = {
    *("open", "connect", "start", "run", "Popen", "check_call", "check_output", "system", "fork", "urlopen", "listen", "serve"),
    *("mkdir", "makedirs", "unlink", "touch", "read_text", "read_bytes", "write_text", "write_bytes", "sleep"),
    *("print", "input", "now", "utcnow", "today", "monotonic", "perf_counter", "uuid1", "uuid4", "urandom", "token_bytes"),
    *("KafkaConsumer", "KafkaProducer", "KafkaAdminClient", "Thread", "Process", "ThreadPoolExecutor", "basicConfig", "signal"),
}
"""Calls that do something, or whose answer depends on when and where they are made: none may run when a module is imported."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class Module:
    """One source file; `path` is relative to the tree's root."""

    path: PurePosixPath
    lines: int
    tree: ast.Module

    @property
    def folder(self) -> str:
        return self.path.parts[0]

    @property
    def is_main(self) -> bool:
        """Main files put a process together and may import anything."""
        return str(self.path) in {"api/main.py", "consumers/__main__.py", "infra/cli.py"} or self.path.parts[:2] == ("infra", "cli")


def findings(root: Path) -> list[str]:
    """What breaks a rule in the tree under `root`, one sentence each, in the order of the paths."""
    found: list[str] = []
    for path in sources(root):
        relative = PurePosixPath(path.relative_to(root).as_posix())
        text = path.read_text("utf-8")
        try:
            module = Module(relative, len(text.splitlines()), ast.parse(text))
        except SyntaxError as error:
            found.append(f"{relative}:{error.lineno} is no Python: {error.msg}.")
            continue
        found += _module_findings(module)
    return found + list(_missing_init_files(root)) + list(_tests_not_mirrored(root))


def sources(root: Path) -> list[Path]:
    """Every Python file of ours under `root`, sorted; nothing hidden, built or cached."""
    files = [path for name in OURS if (root / name).is_dir() for path in (root / name).rglob("*.py")]
    return sorted(path for path in files if not any(part.startswith((".", "__pycache__")) for part in path.relative_to(root).parts))


def _module_findings(module: Module) -> Iterator[str]:
    if module.lines > MAX_LINES:
        yield f"{module.path} has {module.lines} lines; split it by idea before it passes {MAX_LINES}."
    if module.folder not in MAY_IMPORT:
        return
    for line, name in imports(module):
        reason = _import_refused(module, name)
        if reason:
            yield f"{module.path}:{line} imports {name}; {reason}."
    yield from _environment_read(module)
    yield from _imports_by_name(module)
    yield from _work_at_import(module)


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of each import anywhere in the module; `from a import b` is `a.b`, relative ones are made absolute."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.path.parts[: len(module.path.parts) - node.level] if node.level else ()
            base = [*above, *([node.module] if node.module else [])]
            yield from ((node.lineno, ".".join([*base, alias.name])) for alias in node.names)


def _import_refused(module: Module, name: str) -> str | None:
    if module.is_main:
        return None
    top = name.partition(".")[0]
    if _names_main(name):
        return "a main file is imported by nobody, for it may import anything"
    allowed = MAY_IMPORT[module.folder]
    if top in OURS - {module.folder} and top not in allowed:
        return f"of ours, {module.folder}/ may import {' and '.join(sorted(allowed)) or 'nothing'}"
    if module.folder == "domain" and top not in {"domain", *DOMAIN_LIBRARIES, *sys.stdlib_module_names}:
        return "of others, domain/ may import the standard library and phonenumbers"
    return None


def _names_main(name: str) -> bool:
    return any(f"{name}.".startswith(f"{main}.") for main in ("api.main", "consumers.__main__", "infra.cli"))


def _environment_read(module: Module) -> Iterator[str]:
    if str(module.path) == SETTINGS:
        return
    rule = f"only {SETTINGS} reads the environment"
    for line, name in imports(module):
        if name.startswith("os.") and name.removeprefix("os.") in ENVIRONMENT:
            yield f"{module.path}:{line} imports {name}; {rule}."
    names_of_os = {
        alias.asname or "os"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.partition(".")[0] == "os"
    }
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr in ENVIRONMENT
            and isinstance(node.value, ast.Name)
            and node.value.id in names_of_os
        ):
            yield f"{module.path}:{node.lineno} uses os.{node.attr}; {rule}."


def _imports_by_name(module: Module) -> Iterator[str]:
    if module.is_main:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _called(node) in IMPORT_BY_NAME:
            yield f"{module.path}:{node.lineno} calls {_called(node)}; an import statement shows who imports whom."


def _work_at_import(module: Module) -> Iterator[str]:
    for node in _run_at_import(module.tree):
        if isinstance(node, ast.Call) and _called(node) in WORK:
            yield f"{module.path}:{node.lineno} calls {_called(node)} when it is imported; do it in a function."


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and what is below it, as far as it runs on import: class bodies, defaults and decorators do, function bodies do not."""
    yield node
    if isinstance(node, _Function):
        children: list[ast.AST] = [*node.args.defaults, *(value for value in node.args.kw_defaults if value is not None)]
        children += [] if isinstance(node, ast.Lambda) else node.decorator_list
    elif isinstance(node, ast.If) and _only_for_others(node.test):
        children = [*node.orelse]
    else:
        children = [*ast.iter_child_nodes(node)]
    for child in children:
        yield from _run_at_import(child)


def _only_for_others(test: ast.expr) -> bool:
    """`if TYPE_CHECKING` and `if __name__ == "__main__"`: not run by who imports the module."""
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"}


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _missing_init_files(root: Path) -> Iterator[str]:
    folders = {folder for path in sources(root) for folder in path.parents if folder != root and folder.is_relative_to(root)}
    for folder in sorted(folders):
        name = folder.relative_to(root).as_posix()
        if name.partition("/")[0] in {*MAY_IMPORT, "tests"} and not (folder / "__init__.py").exists():
            yield f"{name}/ has no __init__.py; without it another folder of this name may be imported instead."


def _tests_not_mirrored(root: Path) -> Iterator[str]:
    """Tests stand in the folder of what they test: tests/infra/log/ for infra/log/. What is deeper may be tested there as well;
    what tests the whole stands in tests/endtoend/."""
    folders = {path.parent.relative_to(root) for path in sources(root) if path.name != "__init__.py"}
    tests = {folder.relative_to("tests") for folder in folders if folder.parts[0] == "tests"}
    for folder in sorted(tests):
        if folder != Path("endtoend") and not (root / folder).is_dir():
            yield f"tests/{folder.as_posix()}/ tests no folder of ours; give it the name of the folder that it tests."
    packages = {Path(*folder.parts[:2]) for folder in folders if folder.parts[0] in MAY_IMPORT}
    for package in sorted(packages):
        if not any(folder.is_relative_to(package) for folder in tests):
            yield f"{package.as_posix()}/ has no tests; they belong in tests/{package.as_posix()}/."
