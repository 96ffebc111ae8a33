"""Which snapshots are still good: those of the very code that folds today. A changed fold makes its snapshots invisible."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from domain.decider import Decider
from domain.deciders import DECIDERS
from infra.codec import stored

EVERY_EVENTS = 100
"""A snapshot is taken when a stream passes a multiple of this."""


def snapshot_topic(decider: Decider[Any, Any, Any]) -> str:
    """The decider's name and the fingerprint of the code."""
    return f"snapshot:{decider.name}:{fingerprint()}"


@cache
def state_classes() -> dict[str, type]:
    """The class of state by the topic of its snapshots."""
    return {snapshot_topic(decider): type(decider.initial) for decider in DECIDERS}


@cache
def fingerprint() -> str:
    """Of all the domain's code, since what a fold calls and what a state holds may stand in any of its modules; and of how states are
    stored."""
    digest = sha256(inspect.getsource(stored).encode())
    for source in _sources(files("domain")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _sources(folder: Traversable) -> Iterator[Traversable]:
    for one in sorted(folder.iterdir(), key=lambda one: one.name):
        if one.is_dir():
            yield from _sources(one)
        elif one.name.endswith(".py"):
            yield one
