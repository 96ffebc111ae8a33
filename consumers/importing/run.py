"""A whole import: read everything, then translate, check and record it batch by batch. Repeatable, since identities are derived."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from consumers.importing.counts import Counts
from consumers.importing.errors import Stopped, UsedWrongly
from consumers.importing.mapping.model import Mapping
from consumers.importing.progress import Progress
from consumers.importing.reader import Reading
from consumers.importing.recording import Recording, Settings
from consumers.importing.rejected import RejectedFile
from consumers.importing.scratch import Scratch
from consumers.importing.sink import CheckedCustomer, CheckedFact, Sink

_BATCH_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


@dataclass(frozen=True)
class Report:
    """What an import came to. `rejected_file` is None where nothing was rejected."""

    batch: str
    counts: Counts
    rejected_file: Path | None
    dry_run: bool


@dataclass(frozen=True)
class Surroundings:
    """What an import needs of the world around it. `stop` is asked between batches: has somebody pressed Ctrl-C?"""

    folder: Path
    progress: Callable[[str, str, int | None], Progress]
    stop: Callable[[], bool] = lambda: False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    most_pages: int | None = None


def require_batch_name(name: str) -> str:
    """The name of a batch, which also names a file. Raises UsedWrongly."""
    if not _BATCH_NAME.fullmatch(name):
        rule = "at most 120 letters, digits, dots, dashes and underscores, the first a letter or a digit"
        raise UsedWrongly(f"--batch {name!r} is no name; use {rule}.")
    return name


def run_import(
    paths: Sequence[Path],
    mapping: Mapping,
    sink: Sink[CheckedFact, CheckedCustomer],
    around: Surroundings,
    *,
    batch: str | None = None,
    dry_run: bool = False,
) -> Report:
    """Import the files as one batch. A bad row is rejected and the rest goes on; a file that cannot be read records nothing.

    Raises RefusedError, and whatever the sink raises of its own: then what was recorded stays, and a second run goes on.
    """
    counts = Counts()
    with Scratch(around.most_pages) as scratch, RejectedFile(around.folder) as rejected:
        reading = Reading(scratch, mapping, counts)
        for path in paths:
            reading.read(path, around.progress, lambda: _look(around, counts))
        name = batch or reading.batch_name(paths)
        rejected.begin(reading.files)
        settings = Settings(name, dry_run, around.now(), tuple(file for file, _ in reading.files))
        recording = Recording(mapping, sink, scratch, rejected, counts, settings)
        with around.progress("checking" if dry_run else "recording", "rows", reading.staging.rows) as bar:
            done = 0
            for unit in reading.staging.units():
                recording.take(unit)
                done += len(unit.rows)
                if recording.is_due:
                    recording.flush()
                    bar.reach(done)
                    _look(around, counts)
            recording.finish()
            bar.reach(done)
        return Report(name, counts, rejected.finish(f"{mapping.stem}-{name}"), dry_run)


def _look(around: Surroundings, counts: Counts) -> None:
    if around.stop():
        so_far = f"{counts.recorded:,} events were recorded" if counts.recorded else "nothing was recorded yet"
        raise Stopped(f"Stopped: {so_far}. Run the same command again to go on; what is recorded is not recorded twice.")
