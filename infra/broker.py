"""A real one-node Kafka on this machine, from two PyPI packages: for a laptop, the tests, CI. No Docker, no Java of one's own.

    server.properties, broker.pid, broker.lock, broker.log, log/    in the broker's folder

The broker inherits a flock on `broker.lock`: as long as it is held the broker lives and broker.pid is its number, and when it
is free no process has to be looked for, whatever its number is by now.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.kafka_jars import BrokerError, class_path, java
from infra.postgres.locks import FileLock

__all__ = ["BrokerError", "kill", "pause", "resume", "start", "stop"]

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
START_SECONDS = 180.0
"""After a SIGKILL it reads its log through first: 12 s with little in it."""
STOP_SECONDS = 60.0
RECORD_BYTES = 1024 * 1024
OVERHEAD_BYTES = 64 * 1024
"""Around one record of RECORD_BYTES: its batch (61 bytes), its key, its headers."""

MARK = "# Annals writes this file at each start; what is changed in it is lost.\n"
PROPERTIES = f"""{MARK}process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=log
log.retention.ms=-1
log.retention.bytes=-1
log.flush.interval.messages=1
message.max.bytes={RECORD_BYTES + OVERHEAD_BYTES}
replica.fetch.max.bytes={RECORD_BYTES + OVERHEAD_BYTES}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
"""


OWN_LOCKS = {"start.lock", "broker.lock"}
_started: list[subprocess.Popen[bytes]] = []
"""Brokers that this process started and that live: a child that ends stays a zombie until its parent asks."""


def start(folder: Path, port: int, *, say: Callable[[str], None] = logger.info) -> str:
    """Start the broker of `folder` on this port, unless it runs already; return `host:port` when it answers.

    folder: the broker's own, new, empty or used by it before. say: told, as sentences, what a long wait is for. Raises BrokerError.
    """
    folder = folder.absolute()
    with _explained(folder):
        _require_ours(folder)
        turn = FileLock(folder / "start.lock")
    with _explained(folder), turn:
        if not turn.exclusive_within(START_SECONDS):
            raise BrokerError(f"Another process has been starting the broker in {folder} for too long; end it, then try again.")
        if not _alive(folder):
            _require_free(port)
            _launch(folder, port, say)
        elif _port(folder) != port:
            raise BrokerError(f"The broker in {folder} already runs, on port {_port(folder)}; use that, or stop it first.")
        _wait_until_it_answers(folder, port, say)
    return f"{HOST}:{port}"


def stop(folder: Path) -> None:
    """Stop it in order; what it has is kept. Nothing happens if it does not run. Raises BrokerError if it will not go."""
    _end(folder, signal.SIGTERM, STOP_SECONDS)


def kill(folder: Path) -> None:
    """SIGKILL, for fault tests."""
    _end(folder, signal.SIGKILL, 30.0)


def pause(folder: Path) -> None:
    """SIGSTOP, for fault tests: it is there, takes connections, and answers nothing."""
    _send(folder, signal.SIGSTOP)


def resume(folder: Path) -> None:
    """SIGCONT, after `pause`."""
    _send(folder, signal.SIGCONT)


def _require_ours(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise BrokerError(f"{folder} belongs to another user; run as that user or choose another folder.")
    properties = folder / "server.properties"
    ours = properties.exists() and properties.read_text("utf-8", "replace").startswith(MARK)
    if not ours and any(path.name not in OWN_LOCKS for path in folder.iterdir()):
        raise BrokerError(f"{folder} holds other files, no Kafka of ours; choose a new or empty folder.")


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BrokerError(f"{folder} cannot be used ({error.strerror or error}); make room, or choose another folder.") from error


def _launch(folder: Path, port: int, say: Callable[[str], None]) -> None:
    controller = _free_port()
    listeners = (
        f"listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}\n"
        f"advertised.listeners=PLAINTEXT://{HOST}:{port}\ncontroller.quorum.voters=1@{HOST}:{controller}\n"
    )
    (folder / "server.properties").write_text(PROPERTIES + listeners, "ascii")
    jars = class_path(folder / "jars", say)
    run = [str(java()), "-Xmx512m", "-XX:+ExitOnOutOfMemoryError", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", jars]
    if not (folder / "log" / "meta.properties").exists():
        _format(folder, run)
    (folder / "broker.pid").unlink(missing_ok=True)
    log = folder / "broker.log"
    if log.exists():
        log.replace(folder / "broker.log.1")  # what it said before it died may be wanted
    # The shell writes its number and then becomes the broker, so that the number is there as soon as the broker is.
    shell = ["/bin/sh", "-c", 'echo $$ > broker.pid; exec "$@"', "sh"]
    with FileLock(folder / "broker.lock") as life, log.open("wb") as output:
        life.exclusive_within(5)  # others look at it for a moment
        command = [*shell, *run, "kafka.Kafka", "server.properties"]
        child = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[life.fd], start_new_session=True
        )
    _started.append(child)


def _format(folder: Path, run: list[str]) -> None:
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    command = [*run, "kafka.tools.StorageTool", "format", "--cluster-id", cluster, "-c", "server.properties", "--ignore-formatted"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise BrokerError(f"Kafka could not prepare {folder}: {_last_line(done.stderr + done.stdout)}")


def _wait_until_it_answers(folder: Path, port: int, say: Callable[[str], None]) -> None:
    since = told = time.monotonic()
    while not _answers(folder, port):
        now = time.monotonic()
        if not _alive(folder):
            raise BrokerError(f"The broker in {folder} did not start: {_last_line((folder / 'broker.log').read_text('utf-8', 'replace'))}")
        if now - since > START_SECONDS:
            raise BrokerError(f"The broker in {folder} has not answered for {START_SECONDS:.0f} seconds; stop it and start it again.")
        if now - told > 5:
            told = now
            say(f"The broker in {folder} is starting, or reading its log after a crash: {now - since:.0f} seconds so far.")
        time.sleep(0.1)


def _answers(folder: Path, port: int) -> bool:
    """Whether the broker of this folder answers there: not only a port, and no other broker."""
    with socket.socket() as probe:  # first, because the client logs each refused connection
        probe.settimeout(1)
        if probe.connect_ex((HOST, port)):
            return False
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        client = KafkaAdminClient(bootstrap_servers=f"{HOST}:{port}", bootstrap_timeout_ms=3000, request_timeout_ms=3000)
    except KafkaError:
        return False
    try:
        cluster = client.describe_cluster()
        return bool(cluster["brokers"]) and cluster["cluster_id"] == _cluster(folder)
    except KafkaError:
        return False
    finally:
        client.close()


def _alive(folder: Path) -> bool:
    _started[:] = [child for child in _started if child.poll() is None]
    with FileLock(folder / "broker.lock") as life:
        return not life.shared()


def _pid(folder: Path) -> int | None:
    """None if it does not run."""
    while _alive(folder):
        with suppress(OSError, ValueError):
            return int((folder / "broker.pid").read_text("ascii"))
        time.sleep(0.01)  # it is just being started
    return None


def _send(folder: Path, what: signal.Signals) -> None:
    pid = _pid(folder) if folder.is_dir() else None
    if pid is None:
        raise BrokerError(f"No broker runs in {folder}; start it first.")
    os.kill(pid, what)


def _end(folder: Path, how: signal.Signals, patience: float) -> None:
    pid = _pid(folder) if folder.is_dir() else None
    if pid is None:
        return
    os.kill(pid, how)
    os.kill(pid, signal.SIGCONT)  # a paused one would not hear
    deadline = time.monotonic() + patience
    while _alive(folder):
        if time.monotonic() > deadline:
            raise BrokerError(f"The broker in {folder} does not stop; process {pid} is still there, look into {folder / 'broker.log'}.")
        time.sleep(0.05)


def _port(folder: Path) -> int:
    found = re.search(r"PLAINTEXT://[^:]+:(\d+)", (folder / "server.properties").read_text("ascii"))
    return int(found.group(1)) if found else 0


def _cluster(folder: Path) -> str:
    found = re.search(r"^cluster\.id=(\S+)", (folder / "log" / "meta.properties").read_text("ascii"), re.MULTILINE)
    return found.group(1) if found else ""


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise BrokerError(f"Port {port} is taken by another program; choose another one (--port).") from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _last_line(text: str) -> str:
    """The last thing that Java said; of an exception its message, not where it was."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("\tat ", "\t... "))]
    grave = [line for line in lines if "Exception" in line or "Error" in line]
    return (grave or lines or ["it said nothing"])[-1]
