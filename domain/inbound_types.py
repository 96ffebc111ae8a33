"""Every type of fact that the outside world may report, and how its data becomes one of our events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.fact import Report
from domain.purchase import ReportedPurchase


@dataclass(frozen=True)
class InboundType:
    """One type: the dataclass that its data is decoded to, `__init__` and all, and the way from there to the fact.

    `to_fact(data, report, region)` returns the event, not matched yet, or raises DomainError. `region` is where a telephone
    number without its country is dialled.
    """

    name: str
    data: type[Any]
    to_fact: Callable[[Any, Report, str], Any]


INBOUND_TYPES: tuple[InboundType, ...] = (
    InboundType("purchase.made", ReportedPurchase, ReportedPurchase.made),
    InboundType("purchase.returned", ReportedPurchase, ReportedPurchase.returned),
)

INBOUND_BY_NAME: Mapping[str, InboundType] = {inbound_type.name: inbound_type for inbound_type in INBOUND_TYPES}
