"""Who starts the server, who joins, who stops it, and what a crash leaves."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from contextlib import ExitStack
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from infra.postgres.process import ServerProcess
from infra.postgres.server import ServerError, open_server
from tests.faults import wait_until
from tests.infra.postgres.processes import user_of


def query(dsn: str, text: str) -> object:
    """The first field of the first row, committed; None if there is no row."""
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(text)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
    finally:
        connection.close()


def processes_of(folder: Path) -> list[int]:
    """The server's process and its children."""
    pid = ServerProcess(folder).pid()
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [pid, *map(int, listed.stdout.split())]


def test_the_first_starts_it_and_the_last_to_leave_stops_it(new_folder: Path) -> None:
    with open_server(new_folder) as first:
        pid = first.pid
        with open_server(new_folder) as second:
            assert (second.pid, second.dsn) == (pid, first.dsn)
        assert query(first.dsn, "SELECT current_database() || ' ' || current_user") == "annals annals"
    assert not ServerProcess(new_folder).alive()
    assert "received fast shutdown request" in (new_folder / "postgres.log").read_text()


def test_what_was_committed_is_there_the_next_time(new_folder: Path) -> None:
    with open_server(new_folder) as server:
        query(server.dsn, "CREATE TABLE kept AS SELECT 42 AS n")
    with open_server(new_folder) as server:
        assert query(server.dsn, "SELECT n FROM kept") == 42


def test_processes_that_open_a_new_folder_at_once_share_one_server(new_folder: Path) -> None:
    with ExitStack() as stack:
        users = [stack.enter_context(user_of(new_folder)) for _ in range(3)]
        assert len({user.line() for user in users}) == 1
        assert [user.end() for user in users[:2]] == [0, 0]
        assert ServerProcess(new_folder).alive()
        assert users[2].end() == 0
    assert not ServerProcess(new_folder).alive()


def test_ctrl_c_in_the_terminal_of_the_starter_leaves_the_server_to_the_others(folder: Path) -> None:
    with user_of(folder) as starter, ExitStack() as stack:
        pid = int(starter.line())
        server = stack.enter_context(open_server(folder))
        starter.interrupt()
        assert server.pid == pid
        assert query(server.dsn, "SELECT 1") == 1


def test_a_server_whose_starter_was_killed_is_joined_and_stopped_by_the_last(folder: Path) -> None:
    with user_of(folder) as starter:
        pid = int(starter.line())
        starter.kill()
    with open_server(folder) as server:
        assert server.pid == pid
    assert not ServerProcess(folder).alive()


def test_after_a_kill_of_everything_what_was_committed_is_recovered(folder: Path) -> None:
    with user_of(folder) as starter:
        pid = int(starter.line())
        with open_server(folder) as server:
            query(server.dsn, "CREATE TABLE kept AS SELECT n FROM generate_series(1, 1000) AS n")
            starter.kill()
            for process in processes_of(folder):
                os.kill(process, signal.SIGKILL)
            server.ensure_running()
            assert server.pid != pid
            assert query(server.dsn, "SELECT count(*) FROM kept") == 1000


def test_a_server_that_died_alone_starts_again_at_the_same_address(folder: Path) -> None:
    with open_server(folder) as server:
        address = server.dsn
        os.kill(server.pid, signal.SIGKILL)
        server.ensure_running()
        assert server.dsn == address
        assert query(address, "SELECT 1") == 1


def test_a_number_in_an_old_pid_file_that_is_now_another_program_is_not_our_server(folder: Path) -> None:
    with open_server(folder):
        pid_file = (folder / "postgres" / "postmaster.pid").read_text()
    with subprocess.Popen(["sleep", "60"]) as other:
        (folder / "postgres" / "postmaster.pid").write_text("\n".join([str(other.pid), *pid_file.splitlines()[1:]]))
        with open_server(folder) as server:
            assert server.pid != other.pid
            assert query(server.dsn, "SELECT 1") == 1
        assert other.poll() is None
        other.kill()


def test_a_copy_of_a_folder_in_use_has_a_server_of_its_own(folder: Path) -> None:
    copy = folder.with_name("copy")
    with open_server(folder) as server:
        query(server.dsn, "CHECKPOINT")
        subprocess.run(["cp", "-a", folder, copy], check=True)
        with open_server(copy) as other:
            assert other.pid != server.pid
            query(other.dsn, "CREATE TABLE only_in_the_copy ()")
        assert query(server.dsn, "SELECT to_regclass('only_in_the_copy')") is None


def test_a_server_that_somebody_started_by_hand_is_joined(folder: Path) -> None:
    with open_server(folder) as server:
        (folder / "locks" / "server").rename(folder / "locks" / "away")  # what it would look like
        with open_server(folder) as second:
            assert second.pid == server.pid


@pytest.mark.parametrize("name", ["a, b", "Ștefan's données", "long-" * 30], ids=["comma", "letters", "long"])
def test_any_name_of_a_folder_will_do(folder: Path, name: str) -> None:
    folder = folder.rename(folder.with_name(name))
    with open_server(folder) as server:
        assert query(server.dsn, "SELECT 1") == 1
        sockets = Path(str(parse_dsn(server.dsn)["host"]))
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert not (sockets / ".s.PGSQL.5432").exists()


def test_a_short_address_stays_the_same_after_a_crash_and_goes_in_the_end(folder: Path) -> None:
    with open_server(folder.rename(folder.with_name("long-" * 30))) as server:
        sockets = Path(str(parse_dsn(server.dsn)["host"]))
        assert sockets.parent == Path("/tmp")
        os.kill(server.pid, signal.SIGKILL)
        server.ensure_running()
        assert parse_dsn(server.dsn)["host"] == str(sockets)
    assert not sockets.exists()


def test_a_socket_folder_that_others_may_write_is_not_trusted(folder: Path) -> None:
    with open_server(folder.rename(folder.with_name("long-" * 30))) as server:
        process = ServerProcess(server.folder)
        assert process.sockets() is not None
        sockets = Path(str(parse_dsn(server.dsn)["host"]))
        sockets.chmod(0o777)
        assert process.sockets() is None
        sockets.chmod(0o700)


def test_the_role_can_do_its_work_and_no_more(folder: Path) -> None:
    with open_server(folder) as server:
        query(server.dsn, "CHECKPOINT")
        query(server.dsn, "SELECT pg_switch_wal()")
        assert query(server.dsn, "SELECT lower('ȘTEFAN ÇELIK')") == "ștefan çelik"
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            query(server.dsn, "COPY (SELECT 1) TO PROGRAM 'cat'")


def test_the_servers_log_names_nobody(folder: Path) -> None:
    with open_server(folder) as server:
        query(server.dsn, "CREATE TABLE person (name text PRIMARY KEY)")
        query(server.dsn, "INSERT INTO person VALUES ('Ana Popescu')")
        with pytest.raises(psycopg2.errors.UniqueViolation):
            query(server.dsn, "INSERT INTO person VALUES ('Ana Popescu')")
        with pytest.raises(psycopg2.DataError):
            query(server.dsn, "SELECT 'Ana Popescu'::uuid")
    said = (folder / "postgres.log").read_text()
    assert "ready to accept connections" in said
    assert "Popescu" not in said


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    (folder / "postgres" / "postgresql.auto.conf").write_text("shared_buffer = 1\n")
    with pytest.raises(ServerError, match=r"cannot start in \S+/postgres: configuration file .* contains errors\.$"):
        open_server(folder)
    assert not ServerProcess(folder).alive()


def test_a_long_recovery_is_told_of_and_not_cut_short(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("infra.postgres.server.answers", lambda _sockets: False)
    monkeypatch.setattr("infra.postgres.server.START_SECONDS", 0.5)
    monkeypatch.setattr("infra.postgres.server.SAY_SECONDS", 0.1)
    with pytest.raises(ServerError, match="not ready after"):
        open_server(folder, say=said.append)
    assert "recovering after a crash" in said[0]
    assert ServerProcess(folder).alive()


def test_closing_twice_is_fine(folder: Path) -> None:
    server = open_server(folder)
    server.close()
    server.leave()
    server.close()
    wait_until(lambda: not ServerProcess(folder).alive())
