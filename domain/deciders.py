"""Every decider, as an explicit literal."""

from __future__ import annotations

from typing import Any

from domain.customer import CUSTOMER
from domain.decider import Decider
from domain.interaction import INTERACTION
from domain.pointer import POINTER

DECIDERS: tuple[Decider[Any, Any, Any], ...] = (CUSTOMER, POINTER, INTERACTION)
