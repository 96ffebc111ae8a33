"""What holds for every event: frozen, made of what the log can hold, personal fields with a default, one name for ever."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

import domain.customer
import domain.interaction
import domain.pointer
from domain.decider import EventType
from domain.deciders import DECIDERS
from domain.event_types import BY_CLASS, BY_NAME, EVENT_TYPES
from domain.fact import FactWithdrawn
from domain.inbound_types import INBOUND_TYPES
from domain.pointer import CustomerUnmerged
from domain.purchase import PurchaseMade, PurchaseReturned

PLAIN = {str, int, bool, Decimal, date, datetime, UUID}
COMMANDS = [
    *typing.get_args(domain.customer.CustomerCommand),
    *typing.get_args(domain.pointer.PointerCommand),
    *typing.get_args(domain.interaction.InteractionCommand),
]
STORED = [event_type.cls for event_type in EVENT_TYPES] + [type(decider.initial) for decider in DECIDERS] + COMMANDS
"""Events, states (which are kept in snapshots), and commands (of which a digest is kept)."""


def misfits(annotation: Any) -> Iterator[str]:
    """What in an annotation the log cannot hold."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        inner = [argument for argument in arguments if argument is not types.NoneType]
        yield from misfits(inner[0]) if len(inner) == 1 and len(arguments) == 2 else [f"{annotation} is no X | None"]
    elif origin is tuple:
        yield from misfits(arguments[0]) if arguments[1:] == (Ellipsis,) else [f"{annotation} has no open end"]
    elif annotation in PLAIN or (isinstance(annotation, type) and issubclass(annotation, StrEnum)):
        return
    elif dataclasses.is_dataclass(annotation):
        yield from misfit_fields(annotation)
    else:
        yield f"{annotation} cannot be stored"


def misfit_fields(cls: Any) -> Iterator[str]:
    """What in a dataclass the log cannot hold."""
    if not cls.__dataclass_params__.frozen:
        yield f"{cls.__name__} is not frozen"
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        yield from (f"{cls.__name__}.{field.name}: {misfit}" for misfit in misfits(hints[field.name]))
        optional = type(None) in typing.get_args(hints[field.name])
        if optional and field.default not in (None, dataclasses.MISSING):
            yield f"{cls.__name__}.{field.name}: None is not written, so it must be the default"


def defaultless(cls: Any) -> Iterator[str]:
    """Personal fields that would read as nothing after an erasure; and personal ones inside a value, which nobody encrypts."""
    for field in dataclasses.fields(cls):
        if field.metadata.get("personal") and field.default is dataclasses.MISSING:
            yield f"{cls.__name__}.{field.name} has no default"
    for value in values_in(cls):
        yield from (f"{value.__name__}.{field.name} is personal within a value" for field in dataclasses.fields(value) if field.metadata)


def values_in(cls: Any) -> Iterator[Any]:
    """The dataclasses that stand inside this one, at any depth."""
    waiting = list(typing.get_type_hints(cls).values())
    while waiting:
        annotation = waiting.pop()
        waiting += typing.get_args(annotation)
        if dataclasses.is_dataclass(annotation):
            yield annotation
            waiting += typing.get_type_hints(annotation).values()


@pytest.mark.parametrize("cls", STORED, ids=lambda cls: cls.__name__)
def test_everything_stored_is_frozen_and_made_of_what_the_log_can_hold(cls: type) -> None:
    assert list(misfit_fields(cls)) == []


@pytest.mark.parametrize("cls", [event_type.cls for event_type in EVENT_TYPES], ids=lambda cls: cls.__name__)
def test_personal_fields_have_a_default_and_stand_in_the_event_itself(cls: type) -> None:
    assert list(defaultless(cls)) == []


@dataclasses.dataclass
class Misfit:
    """Everything that an event must not be."""

    anything: Any
    number: float
    either: int | str
    pair: tuple[int, int]
    table: dict[str, int]
    word: str | None = "word"


@dataclasses.dataclass(frozen=True)
class Hidden:
    """A personal field where the codec does not look, and one without a default."""

    value: Nested
    name: str = dataclasses.field(metadata={"personal": True})


@dataclasses.dataclass(frozen=True)
class Nested:
    """A value with a personal field."""

    name: str | None = dataclasses.field(default=None, metadata={"personal": True})


def test_these_tests_can_fail() -> None:
    assert len(list(misfit_fields(Misfit))) == 7
    assert len(list(defaultless(Hidden))) == 2


def test_names_are_unique_and_say_what_happened_to_what() -> None:
    assert len(BY_NAME) == len(BY_CLASS) == len(EVENT_TYPES)
    for name in BY_NAME:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", name)
        assert name.endswith(("ed", "made", "set", "withdrawn"))


def test_names_and_classes_are_these_for_ever() -> None:
    assert {event_type.name: event_type.cls.__name__ for event_type in EVENT_TYPES} == {
        "customer.captured": "CustomerCaptured",
        "customer.name_corrected": "NameCorrected",
        "customer.company_corrected": "CompanyCorrected",
        "customer.phone_added": "PhoneAdded",
        "customer.phone_corrected": "PhoneCorrected",
        "customer.phone_removed": "PhoneRemoved",
        "customer.email_added": "EmailAdded",
        "customer.email_corrected": "EmailCorrected",
        "customer.email_removed": "EmailRemoved",
        "customer.address_added": "AddressAdded",
        "customer.address_corrected": "AddressCorrected",
        "customer.address_removed": "AddressRemoved",
        "customer.language_set": "LanguageSet",
        "customer.form_of_address_set": "FormOfAddressSet",
        "external_id.linked": "ExternalIdLinked",
        "external_id.unlinked": "ExternalIdUnlinked",
        "customer.merged": "CustomerMerged",
        "customer.unmerged": "CustomerUnmerged",
        "purchase.made": "PurchaseMade",
        "purchase.returned": "PurchaseReturned",
        "fact.withdrawn": "FactWithdrawn",
        "interaction.attributed": "InteractionAttributed",
        "interaction.detached": "InteractionDetached",
    }


def test_every_event_of_every_decider_has_a_name() -> None:
    unions = (domain.customer.CustomerEvent, domain.pointer.PointerEvent, domain.interaction.InteractionEvent)
    decided = {cls for union in unions for cls in typing.get_args(union)}
    reported = {PurchaseMade, PurchaseReturned, FactWithdrawn}
    assert decided | reported == set(BY_CLASS)


def test_what_is_about_one_interaction_is_sealed_under_the_interactions_own_encryption_key() -> None:
    sealed = {event_type.name for event_type in EVENT_TYPES if event_type.interaction}
    assert sealed == {"purchase.made", "purchase.returned", "fact.withdrawn", "interaction.attributed", "interaction.detached"}
    assert {inbound_type.name for inbound_type in INBOUND_TYPES} <= sealed


def test_deciders_have_names_of_their_own() -> None:
    assert [decider.name for decider in DECIDERS] == ["customer", "pointer", "interaction"]


def test_the_schema_number_counts_the_upcasters() -> None:
    assert EventType("x.done", CustomerUnmerged).schema == 1
    assert EventType("x.done", CustomerUnmerged, (lambda data: data,)).schema == 2


def test_every_event_says_what_it_means() -> None:
    for event_type in EVENT_TYPES:
        assert event_type.cls.__doc__
        assert not event_type.cls.__doc__.startswith(f"{event_type.cls.__name__}(")
