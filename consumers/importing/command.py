"""`crm import`: arguments in, one sentence or a report out. Where things are recorded is handed in."""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from consumers.importing.errors import RefusedError, UsedWrongly
from consumers.importing.mapping.load import load_mapping
from consumers.importing.progress import Progress
from consumers.importing.run import Report, Surroundings, require_batch_name, run_import
from consumers.importing.sink import Sink

SinkFactory = Callable[[bool], AbstractContextManager[Sink[Any, Any]]]
"""Opens the recording side; the argument is whether this is a dry run, which only checks."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `crm import`, save `--json`, which all commands share and `run` reads as `args.json` where it is there."""
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="CSV, TSV or NDJSON, plain or .gz")
    parser.add_argument("--mapping", metavar="MAP.toml", required=True, type=Path, help="how rows become events (docs/import.md)")
    parser.add_argument("--dry-run", action="store_true", help="read and check everything, record nothing")
    parser.add_argument("--batch", metavar="NAME", help="name of this import, for undo-import; by default made from what the files hold")


def run(
    args: argparse.Namespace,
    sink_factory: SinkFactory,
    *,
    recordable: Collection[str],
    out: TextIO,
    err: TextIO,
    folder: Path | None = None,
) -> int:
    """Import the files; the exit code. 0 done (also with rejected rows), 1 refused or stopped, 2 used wrongly.

    recordable: the types of facts that can be recorded today. folder: where the rejected file goes; by default the current one.
    What the sink raises and is no RefusedError goes to the caller.
    """
    started = time.monotonic()
    try:
        with _ctrl_c() as stop:
            around = Surroundings(folder or Path.cwd(), lambda what, unit, total: Progress(err, what, unit, total), stop)
            batch = require_batch_name(args.batch) if args.batch is not None else None
            _refuse_repeats(args.files)
            mapping = load_mapping(args.mapping, recordable)
            with sink_factory(args.dry_run) as sink:
                report = run_import(args.files, mapping, sink, around, batch=batch, dry_run=args.dry_run)
    except RefusedError as error:
        err.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        err.write("Stopped at once. Run the same command again to go on; what is recorded is not recorded twice.\n")
        return 1
    seconds = round(time.monotonic() - started, 3)
    out.write(_as_json(report, seconds) if getattr(args, "json", False) else _as_text(report, seconds))
    out.flush()
    return 0


@contextmanager
def _ctrl_c() -> Iterator[Callable[[], bool]]:
    """Within, the first Ctrl-C is a request that is answered between two batches; a second one interrupts."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return
    before = signal.getsignal(signal.SIGINT) or signal.default_int_handler

    def press(_number: int, _frame: FrameType | None) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, press)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _refuse_repeats(paths: list[Path]) -> None:
    seen: set[Path] = set()
    for path in paths:
        real = path.resolve()
        if real in seen:
            raise UsedWrongly(f"{path} is given twice; name each file once.")
        seen.add(real)


def _as_json(report: Report, seconds: float) -> str:
    rejected = str(report.rejected_file) if report.rejected_file else None
    more = {"batch": report.batch, "dry_run": report.dry_run, "rejected_file": rejected, "seconds": seconds}
    return json.dumps({**report.counts.as_json(), **more}, ensure_ascii=False) + "\n"


def _as_text(report: Report, seconds: float) -> str:
    counts, customers = report.counts, report.counts.customers
    lines = [
        f"read      {counts.read:>12,}   events in {counts.rows:,} rows, in {seconds:,.1f} s",
        f"recorded  {counts.recorded:>12,}"
        + ("   would be recorded or are known: a dry run does not look into the log" if report.dry_run else ""),
        f"known     {counts.known:>12,}",
        f"rejected  {counts.rejected:>12,}" + (f"   see {report.rejected_file.name}" if report.rejected_file else ""),
    ]
    if customers.met:
        met = f"{customers.met:,} met, {customers.recorded:,} recorded, {customers.known:,} known, {customers.rejected:,} rejected"
        lines.append(f"customers: {met}")
    lines += counts.notices()
    undo = f" (crm undo-import {report.batch} takes it back)" if counts.recorded and not report.dry_run else ""
    lines.append(f"batch {report.batch}{undo}")
    return "\n".join(lines) + "\n"
