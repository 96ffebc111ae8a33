"""Which snapshots are still good: those of the very code that folds today. A changed fold makes its snapshots invisible."""

from __future__ import annotations

import inspect
import sys
from functools import cache
from hashlib import sha256
from typing import Any

from domain.decider import Decider
from domain.deciders import DECIDERS

EVERY_EVENTS = 100
"""A snapshot is taken when a stream passes a multiple of this."""


@cache
def snapshot_topic(decider: Decider[Any, Any, Any]) -> str:
    """The decider's name and a fingerprint of the module that folds."""
    source = inspect.getsource(sys.modules[decider.evolve.__module__])
    return f"snapshot:{decider.name}:{sha256(source.encode()).hexdigest()[:16]}"


@cache
def state_classes() -> dict[str, type]:
    """The class of state by the topic of its snapshots."""
    return {snapshot_topic(decider): type(decider.initial) for decider in DECIDERS}
