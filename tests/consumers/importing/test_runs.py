"""A run as a whole: counts, repeats, dry run, resuming, the rejected file, Ctrl-C, a full disk."""

from __future__ import annotations

import argparse
import io
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from consumers.importing import recording, staging
from consumers.importing.command import add_arguments, run
from consumers.importing.counts import Counts
from consumers.importing.errors import RefusedError
from consumers.importing.mapping.load import load_mapping
from consumers.importing.progress import Progress
from consumers.importing.run import Surroundings, run_import
from consumers.importing.sink import Corrections, Outcome, Refused
from domain.inbound import InboundFact
from tests.consumers.importing.outcome import RECORDABLE, SIMPLE, MemorySink, call, imported

HEADER = "order,at,total\n"


def _rows(count: int) -> str:
    return HEADER + "".join(f"{n},2020-01-01,{n}\n" for n in range(1, count + 1))


def test_a_second_run_knows_everything_and_has_the_same_batch(tmp_path: Path) -> None:
    sink = MemorySink()
    first = imported(tmp_path, SIMPLE, _rows(3), sink=sink)
    again = imported(tmp_path, SIMPLE, _rows(3), sink=sink, name="copy of rows.csv")
    assert (first.counts, again.counts) == ((3, 3, 0, 0), (3, 0, 3, 0))
    assert first.said["batch"].removeprefix("rows") == again.said["batch"].removeprefix("copy-of-rows")
    assert imported(tmp_path, SIMPLE, _rows(4)).said["batch"] != first.said["batch"]


def test_facts_carry_their_identity_and_the_batch(tmp_path: Path) -> None:
    result = imported(tmp_path, SIMPLE, _rows(1), "--batch", "first.try")
    fact = result.facts[0]
    assert (fact.source, fact.subject, fact.id, fact.type) == ("shop", "1", "purchase.made", "purchase.made")
    assert result.sink.batches == ["first.try"]
    assert result.said["batch"] == "first.try"


def test_facts_go_to_the_sink_in_bounded_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_AT_ONCE", 10)
    monkeypatch.setattr(staging, "_ROWS_IN_HAND", 7)
    result = imported(tmp_path, SIMPLE, _rows(25))
    assert result.sink.calls == [10, 10, 5]
    assert [fact.subject for fact in result.facts] == [str(n) for n in range(1, 26)]


def test_the_same_event_twice_in_a_file_is_known_and_said(tmp_path: Path) -> None:
    result = imported(tmp_path, SIMPLE, _rows(2) + "1,2020-01-01,1\n")
    assert result.counts == (3, 2, 1, 0)
    assert result.said["notices"] == ["1 event repeated an earlier one of these files word for word: counted as known."]


def test_one_identity_with_two_contents_is_rejected(tmp_path: Path) -> None:
    result = imported(tmp_path, SIMPLE, _rows(2) + "1,2020-01-01,9\n1,2020-01-02,1\n")
    assert result.counts == (4, 2, 0, 2)
    assert result.reasons[4].startswith("line 2 has the same subject and id, and says something else; group the rows")
    assert list(result.reasons) == [4, 5]


def test_what_the_check_refuses_is_rejected_with_its_sentence(tmp_path: Path) -> None:
    sink = MemorySink(refuse=lambda fact: "The quantity is beyond 1,000,000,000,000." if fact.subject == "2" else None)
    result = imported(tmp_path, SIMPLE, _rows(3), sink=sink)
    assert result.counts == (3, 2, 0, 1)
    assert result.reasons == {3: "The quantity is beyond 1,000,000,000,000."}


def test_a_subject_that_is_too_long_is_rejected(tmp_path: Path) -> None:
    result = imported(tmp_path, SIMPLE, HEADER + "x" * 513 + ",2020-01-01,1\n")
    assert result.reasons == {2: "The subject has 513 characters; give at most 512."}


def test_what_the_log_refuses_in_the_end_is_rejected_too(tmp_path: Path) -> None:
    def outcome(fact: InboundFact) -> Outcome:
        return Refused("The event is too large for the log.") if fact.subject == "2" else "recorded"

    result = imported(tmp_path, SIMPLE, _rows(3), sink=MemorySink(outcome=outcome))
    assert result.counts == (3, 2, 0, 1)
    assert result.reasons == {3: "The event is too large for the log."}


def test_the_index_has_the_last_word_about_what_was_known(tmp_path: Path) -> None:
    result = imported(tmp_path, SIMPLE, _rows(5), sink=MemorySink(corrections=Corrections(facts_known=2)))
    assert result.counts == (5, 3, 2, 0)


def test_a_sink_that_answers_too_little_is_a_fault_and_not_a_count(tmp_path: Path) -> None:
    class Forgetful(MemorySink):
        def record(self, facts: Sequence[InboundFact], batch: str, /) -> Sequence[Outcome]:
            return super().record(facts, batch)[1:]

    result = imported(tmp_path, SIMPLE, _rows(3), sink=Forgetful())
    assert (result.code, result.error) == (1, "3 were handed over and 2 answered; this is a fault of the program, report it.")


def test_a_dry_run_checks_everything_and_records_nothing(tmp_path: Path) -> None:
    result = imported(tmp_path, SIMPLE, _rows(3) + "4,never,1\n", "--dry-run")
    assert result.counts == (4, 3, 0, 1)
    assert result.said["dry_run"] is True
    assert (result.sink.dry_runs, result.sink.checked, result.sink.batches, result.facts) == ([True], 3, [], [])
    assert list(result.reasons) == [5]


# --- the rejected file ---


def test_the_rejected_file_has_its_name_its_mode_and_the_rows(tmp_path: Path) -> None:
    result = imported(tmp_path, SIMPLE, HEADER + '1,never,"a, b"\n', "--batch", "b7")
    path = tmp_path / "map-b7.rejected.csv"
    assert result.said["rejected_file"] == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == (
        "file,line,reason,order,at,total\n"
        "rows.csv,2,column at: 'never' is no time written as iso,1,never,\"a, b\"\n"
    )  # fmt: skip
    assert not list(tmp_path.glob(".rejected*"))


def test_where_nothing_is_rejected_there_is_no_file_and_an_old_one_goes(tmp_path: Path) -> None:
    assert imported(tmp_path, SIMPLE, HEADER + "1,never,1\n", "--batch", "b7").said["rejected_file"]
    assert imported(tmp_path, SIMPLE, _rows(1), "--batch", "b7").said["rejected_file"] is None
    assert not list(tmp_path.glob("*.rejected.csv"))


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(SIMPLE)
    (tmp_path / "rows.csv").write_text(_rows(1))
    sink = MemorySink()
    result = call(tmp_path / "none", [tmp_path / "rows.csv"], tmp_path / "map.toml", sink=sink)
    assert result.code == 2
    assert result.error.startswith(
        f"The folder {tmp_path / 'none'} cannot be written (No such file or directory), and rejected rows go there"
    )
    assert not sink.batches


def test_rejected_rows_are_corrected_in_their_file_and_imported_with_the_same_mapping(tmp_path: Path) -> None:
    mapping = SIMPLE.replace("[file]", '[file]\nencoding = "cp1252"\ndelimiter = ";"\nskip_lines = 1').replace('"total"', '"line"')
    sink = MemorySink()
    first = imported(tmp_path, mapping, "Report\norder;at;line\né1;never;5\n2;2020-01-01;6\n".encode("cp1252"), sink=sink)
    assert first.counts == (2, 1, 0, 1)
    corrected = tmp_path / "corrected.rejected.csv"
    corrected.write_text(Path(first.said["rejected_file"]).read_text().replace(",never,", ",2020-01-01,"))
    again = call(tmp_path, [corrected], tmp_path / "map.toml", sink=sink)
    assert (again.error, again.counts) == ("", (1, 1, 0, 0))
    assert sink.facts["é1", "purchase.made"].data == {"total": {"amount": "5", "currency": "RON"}}


def test_a_rejected_file_that_cannot_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = imported(tmp_path, SIMPLE, HEADER + "1,never,1\n")
    assert (result.code, "could not be written (No space left on device); make room" in result.error) == (1, True)
    assert not list(tmp_path.glob(".rejected*"))


# --- wrong use ---


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "-x", "a b", "x" * 121, "é"])
def test_a_batch_name_names_a_file(tmp_path: Path, name: str) -> None:
    result = imported(tmp_path, SIMPLE, _rows(1), f"--batch={name}")
    assert (result.code, "is no name" in result.error) == (2, True)
    assert not result.sink.batches


def test_a_file_given_twice_would_be_counted_twice(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(SIMPLE)
    (tmp_path / "rows.csv").write_text(_rows(1))
    (tmp_path / "link.csv").symlink_to(tmp_path / "rows.csv")
    (tmp_path / "copy.csv").write_text(_rows(1))
    twice = call(tmp_path, [tmp_path / "rows.csv", tmp_path / "link.csv"], tmp_path / "map.toml")
    assert (twice.code, twice.error) == (2, f"{tmp_path / 'link.csv'} is given twice; name each file once.")
    copy = call(tmp_path, [tmp_path / "rows.csv", tmp_path / "copy.csv"], tmp_path / "map.toml")
    assert (copy.code, copy.error) == (2, f"{tmp_path / 'copy.csv'} holds the same as {tmp_path / 'rows.csv'}; give each file once.")
    assert not copy.sink.batches


# --- stopping, going on, running out ---


class _Failing(MemorySink):
    """The log goes away at the second call."""

    def record(self, facts: Sequence[InboundFact], batch: str, /) -> Sequence[Outcome]:
        if len(self.calls) == 1:
            self.calls.append(0)
            raise RefusedError("The log does not answer; try again.")
        return super().record(facts, batch)


def test_after_a_failure_the_same_command_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_AT_ONCE", 10)
    sink = _Failing()
    first = imported(tmp_path, SIMPLE, _rows(25), sink=sink)
    assert (first.code, first.error) == (1, "The log does not answer; try again.")
    assert len(sink.facts) == 10
    assert not list(tmp_path.glob(".rejected*"))
    assert imported(tmp_path, SIMPLE, _rows(25), sink=sink).counts == (25, 15, 10, 0)


def test_ctrl_c_stops_between_two_batches_and_the_same_command_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_AT_ONCE", 10)

    class Pressing(MemorySink):
        def record(self, facts: Sequence[InboundFact], batch: str, /) -> Sequence[Outcome]:
            if not self.calls:
                os.kill(os.getpid(), signal.SIGINT)
            return super().record(facts, batch)

    before = signal.getsignal(signal.SIGINT)
    sink = Pressing()
    first = imported(tmp_path, SIMPLE, _rows(25), sink=sink)
    assert first.code == 1
    assert first.error == "Stopped: 10 events were recorded. Run the same command again to go on; what is recorded is not recorded twice."
    assert signal.getsignal(signal.SIGINT) is before
    assert imported(tmp_path, SIMPLE, _rows(25), sink=sink).counts == (25, 15, 10, 0)


def test_ctrl_c_while_reading_stops_before_anything_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(SIMPLE)
    (tmp_path / "rows.csv").write_text(_rows(5_000))
    around = Surroundings(tmp_path, lambda what, unit, total: Progress(io.StringIO(), what, unit, total), stop=lambda: True)
    sink = MemorySink()
    with pytest.raises(RefusedError, match="Stopped: nothing was recorded yet"):
        run_import([tmp_path / "rows.csv"], load_mapping(tmp_path / "map.toml", RECORDABLE), sink, around)
    assert not sink.calls


def test_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    class Impatient(MemorySink):
        def record(self, facts: Sequence[InboundFact], batch: str, /) -> Sequence[Outcome]:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            return super().record(facts, batch)

    result = imported(tmp_path, SIMPLE, _rows(5), sink=Impatient())
    assert (result.code, result.error.startswith("Stopped at once.")) == (1, True)
    assert not list(tmp_path.glob(".rejected*"))


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(SIMPLE)
    (tmp_path / "rows.csv").write_text(_rows(50_000))
    around = Surroundings(tmp_path, lambda what, unit, total: Progress(io.StringIO(), what, unit, total), most_pages=100)
    with pytest.raises(RefusedError, match="The disk is full under the folder for temporary files; free some space, or set TMPDIR"):
        run_import([tmp_path / "rows.csv"], load_mapping(tmp_path / "map.toml", RECORDABLE), MemorySink(), around)


def test_nothing_temporary_is_left_even_by_a_kill(tmp_path: Path) -> None:
    """The staged rows have no name in the file system, so a killed process leaves none of them behind."""
    code = """
import os, signal
from consumers.importing.scratch import Scratch

def size(handle):
    try:
        return os.fstat(handle).st_size
    except OSError:
        return 0

scratch = Scratch()
scratch.execute("CREATE TABLE t (x)")
scratch.insert("INSERT INTO t VALUES (?)", ((os.urandom(100_000),) for _ in range(600)))
print("on disk" if max(map(size, range(3, 30))) > 10_000_000 else "in memory", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=root,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "on disk\n", "")
    assert list(tmp_path.iterdir()) == []


# --- what is said ---


def test_the_report_is_for_people_and_its_json_for_programs(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(SIMPLE)
    (tmp_path / "rows.csv").write_text(_rows(1_234) + "x,never,1\n")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    out, err = io.StringIO(), io.StringIO()
    args = parser.parse_args([str(tmp_path / "rows.csv"), "--mapping", str(tmp_path / "map.toml"), "--batch", "b"])
    assert run(args, MemorySink().opened, recordable=RECORDABLE, out=out, err=err, folder=tmp_path) == 0
    said = out.getvalue().splitlines()
    assert said[0].startswith("read             1,235   events in 1,235 rows, in ")
    assert said[1:] == [
        "recorded         1,234",
        "known                0",
        "rejected             1   see map-b.rejected.csv",
        "batch b (crm undo-import b takes it back)",
    ]
    assert err.getvalue().splitlines() == ["reading rows.csv: done, 0.0 MB", "recording: done, 1,235 rows"]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, plain = _Terminal(), io.StringIO()
    with Progress(terminal, "reading x", "B", 10_000_000) as bar:
        bar.reach(5_000_000)
    assert "reading x:   0%|" in terminal.getvalue()
    monkeypatch.setattr("consumers.importing.progress.SECONDS_BETWEEN_LINES", 0.0)
    with Progress(plain, "reading x", "B", 10_000_000) as bar:
        bar.reach(5_000_000)
    with Progress(plain, "reading pipe", "rows", None) as bar:
        bar.reach(7)
    assert plain.getvalue().splitlines() == [
        "reading x: 5.0 MB of 10.0 MB (50 %)",
        "reading x: done, 5.0 MB",
        "reading pipe: 7 rows",
        "reading pipe: done, 7 rows",
    ]


def test_counts_say_one_and_many() -> None:
    counts = Counts()
    counts.skips["no goods"] = 1_200
    counts.customers_differ = 1
    assert counts.notices() == ["1,200 rows passed over: no goods.", "1 customer differed from row to row: the first row counts."]
