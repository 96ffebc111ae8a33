"""Whatever is wrong around a command is said in a sentence, with the right exit code, and records nothing."""

from __future__ import annotations

import contextlib
import os
import resource
import secrets
import signal
import subprocess
from pathlib import Path
from shutil import which

import pytest
from kafka import KafkaAdminClient

from tests.endtoend.installation import Installation
from tests.endtoend.shop import ShopFile
from tests.endtoend.test_bad_input import nothing_recorded, sentence
from tests.faults import Broker, free_port, quick_folder, wait_until

__all__ = ["nothing_recorded"]


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("lag", "--nonsense"), ("rebuild", "nonsense"), (), ("project", "--partitions", "x"), ("import", "a.csv")],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_a_command_used_wrongly(nothing_recorded: Installation, arguments: tuple[str, ...]) -> None:
    done = nothing_recorded.crm(*arguments, code=2)
    assert done.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRM_TIME_ZONE", "Nowhere/Land"),
        ("CRM_LOG", "paper"),
        ("CRM_PORT", "0"),
        ("CRM_MASTER_KEY", "beef"),
        ("CRM_DECISION_PARTITIONS", "many"),
    ],
)
def test_a_setting_that_cannot_be(nothing_recorded: Installation, name: str, value: str) -> None:
    assert name in sentence(nothing_recorded.with_(**{name: value}).crm("lag", code=2))


def test_an_unknown_batch_cannot_be_undone(nothing_recorded: Installation) -> None:
    assert "No import was ever recorded as nonsense" in sentence(nothing_recorded.crm("undo-import", "nonsense", code=1))


def test_the_wrong_master_key_is_refused(filled: Installation, shop_import: tuple[object, ...]) -> None:
    wrong = filled.with_(CRM_MASTER_KEY=secrets.token_hex(32))
    for command in (("lag",), ("import", *shop_import), ("serve", "--port", free_port())):
        assert "The master key does not fit" in sentence(wrong.crm(*command, code=2))


def test_the_folder_of_somebody_else_is_left_alone(tmp_path: Path, nothing_recorded: Installation) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert "holds other files" in sentence(nothing_recorded.with_(CRM_DATA=str(tmp_path)).crm("lag", code=1))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    if os.geteuid() == 0:
        other = quick_folder("annals-theirs-")
        os.chown(other, 65_500, 65_500)
        try:
            assert "belongs to another user" in sentence(nothing_recorded.with_(CRM_DATA=str(other)).crm("lag", code=1))
        finally:
            other.rmdir()


def test_postgresql_that_does_not_answer(filled: Installation) -> None:
    address = f"postgresql://annals@127.0.0.1:{free_port()}/annals"
    said = sentence(filled.with_(CRM_DATABASE=address).crm("lag", code=1))
    assert said.startswith("PostgreSQL")
    assert "answer" in said


def test_a_broker_that_is_not_there(filled_kafka: Installation, shop_import: tuple[object, ...]) -> None:
    away = filled_kafka.with_(CRM_KAFKA=f"127.0.0.1:{free_port()}")
    for command in (("lag",), ("import", *shop_import)):
        assert "Kafka at" in sentence(away.crm(*command, code=1, seconds=60))


def test_a_topic_whose_partitions_changed_is_refused(on_kafka: Installation, broker: Broker) -> None:
    on_kafka.crm("lag")
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    try:
        admin.create_partitions({f"{on_kafka.environment['CRM_PREFIX']}.facts": 5})
    finally:
        admin.close()
    wait_until(lambda: on_kafka.crm("lag", code=None).code == 1, 20, what="the refusal")
    assert "partitions" in sentence(on_kafka.crm("lag", code=1))


def test_other_partition_counts_in_the_settings_are_refused(filled: Installation) -> None:
    assert "partitions" in sentence(filled.with_(CRM_FACT_PARTITIONS="7").crm("lag", code=1))


def test_a_broker_that_dies_in_the_middle_of_an_import(
    on_kafka: Installation, broker: Broker, shop: ShopFile, shop_import: tuple[object, ...]
) -> None:
    process = on_kafka.start("import", *shop_import)
    try:
        wait_until(lambda: process.poll() is not None or has_begun(on_kafka), 60, what="the first record")
        broker.kill()
        _, err = process.communicate(timeout=240)
    finally:
        broker.restart()
    assert process.returncode == 1
    assert "Traceback" not in err
    assert "run the same command again" in err or "Kafka at" in err
    answer = on_kafka.imports(*shop_import)
    assert answer["read"] == answer["recorded"] + answer["known"] == shop.events
    on_kafka.project()
    assert on_kafka.total() == shop.total


def has_begun(one: Installation) -> bool:
    """Whether the index holds an event. The server of a starting command may not be there yet."""
    if not (one.data / "postgres" / "postmaster.pid").exists():
        return False
    return bool(one.ask("SELECT to_regclass('index.event')")[0][0]) and one.ask("SELECT count(*) > 20 FROM index.event")[0][0]


def test_a_disk_that_is_full(embedded: Installation, shop_import: tuple[object, ...], tmp_path: Path) -> None:
    if os.geteuid() != 0 or which("mount") is None:
        pytest.skip("a full disk was not tried: only root can mount a small one")
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "annals", small], capture_output=True, check=False).returncode:
        pytest.skip("a full disk was not tried: this machine lets nobody mount a small one")
    one = embedded.with_(CRM_DATA=str(small / "data"))
    try:
        (small / "data").mkdir(mode=0o700)
        done = one.crm("import", *shop_import, code=None)
        if done.code == 0:  # PostgreSQL has found room so far
            fill(small / "filler")
            done = one.crm("undo-import", "nonsense", code=None)
        assert done.code == 1
        assert "full" in done.err or "room" in done.err or "No space" in done.err, done.err
    finally:
        one.close()
        subprocess.run(["umount", "-l", small], check=True)


def fill(path: Path) -> None:
    """Write until nothing more fits."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(1 << 20)):
            pass


def test_a_file_that_may_not_grow(nothing_recorded: Installation, shop_folder: Path, tmp_path: Path) -> None:
    """RLIMIT_FSIZE: a file of rejected rows that cannot be written whole."""
    with (shop_folder / "shop.csv").open("rb") as file:
        head, *rows = file.readlines()
    large = tmp_path / "large.csv"
    large.write_bytes(head + b"".join(rows).replace(b",C0", b",C0\x00") * 40)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))

    done = nothing_recorded.crm("import", large, "--dry-run", "--mapping", shop_folder / "shop.toml", code=1, preexec_fn=limit)
    assert "room" in done.err or "full" in done.err or "large" in done.err
