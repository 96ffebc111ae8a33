"""`crm serve`: everything under one command, and nothing left of it when it ends."""

from __future__ import annotations

import os
import signal
import socket
from functools import partial

import pytest

from tests.endtoend.installation import Installation, processes_of
from tests.endtoend.served import Served, served
from tests.endtoend.shop import ShopFile
from tests.endtoend.test_kills import workers_of
from tests.faults import Broker, free_port, wait_until


def test_it_answers_works_beside_commands_and_ends_everything(
    installation: Installation, shop: ShopFile, shop_import: tuple[object, ...]
) -> None:
    with served(installation) as server:
        assert server.get("/healthz")[0] == 200
        answer = installation.imports(*shop_import)
        assert answer["recorded"] == shop.events
        wait_until(installation.is_projected, 30, what="the server's projectors")
        status, kind, body = server.get("/metrics")
        assert (status, kind) == (200, "text/plain")
        assert 'annals_lag_records{reader="ledger"} 0.0' in body
        again = installation.crm("serve", "--port", free_port(), code=1)
        assert "is already served" in again.err
        assert len(again.err.splitlines()) == 1
    assert not processes_of(installation.data)


def test_ctrl_c_ends_everything(embedded: Installation) -> None:
    with served(embedded, stop=signal.SIGINT, group=True):
        pass
    assert not processes_of(embedded.data)


def test_a_child_that_is_killed_is_started_again(filled: Installation, shop: ShopFile) -> None:
    with served(filled) as server:
        before = server.children()
        assert len(before) == 4
        for number, pid in enumerate(before):
            os.kill(pid, signal.SIGKILL)
            wait_until(partial(has_replaced, server, pid), 20, what=f"child {number}")
        wait_until(server.is_ready, 60, what="readiness after every child was killed")
        assert not set(before) & set(server.children())
    assert filled.total() == shop.total


def has_replaced(server: Served, pid: int) -> bool:
    children = server.children()
    return pid not in children and len(children) == 4


def test_a_killed_server_leaves_no_worker_and_the_next_one_starts(installation: Installation) -> None:
    port = free_port()
    process = installation.start("serve", "--port", port)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ready")
    process.kill()
    process.communicate()
    wait_until(lambda: not workers_of(installation.data), 15, what="the workers of a killed server to end")
    with served(installation) as server:
        assert server.get("/healthz")[0] == 200


def test_a_taken_port_is_a_sentence(embedded: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = embedded.crm("serve", "--port", port, code=1)
    assert done.err == f"127.0.0.1:{port} cannot be listened at (Address already in use); choose another --port or --host.\n"


def test_it_is_not_ready_while_the_broker_does_not_answer(filled_kafka: Installation, broker: Broker) -> None:
    with served(filled_kafka) as server:
        broker.pause()
        try:
            problem = server.problem()
            assert problem is not None
            assert "Kafka" in problem["detail"]
            assert server.get("/healthz")[0] == 200
        finally:
            broker.resume()
        wait_until(server.is_ready, 60, what="readiness when the broker is back")


@pytest.mark.parametrize(
    "parts", [[("--topic", "decisions"), ("--topic", "facts"), ("--topic", "keys")], [("--partitions", "0"), ("--partitions", "1-7")]]
)
def test_on_kafka_the_parts_run_apart(
    on_kafka: Installation, shop: ShopFile, shop_import: tuple[object, ...], parts: list[tuple[str, str]]
) -> None:
    with on_kafka.server():
        running = [on_kafka.start("project", *part) for part in parts]
        try:
            assert on_kafka.imports(*shop_import)["recorded"] == shop.events
            wait_until(on_kafka.is_projected, 60, what="the parts")
            assert on_kafka.total() == shop.total
        finally:
            for process in running:
                process.terminate()
        for process in running:
            out, err = process.communicate(timeout=30)
            assert process.returncode == 0, (out, err)
            assert "Traceback" not in err
