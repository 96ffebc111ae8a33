"""What commands take, and what they say of what they cannot take."""

from __future__ import annotations

import argparse
from uuid import UUID

import pytest

from domain.phone import PhoneNumber
from infra.cli.errors import UsedWrongly, exit_code_of, sentence_of
from infra.cli.project import partitions_of
from infra.cli.screen_pop import asked_for
from infra.log.contract import LogUnreachable
from infra.settings import SettingsError
from projections.candidates import Asked

ID = "7358fb3e-849b-516d-a10e-03d898bf1658"


def arguments(number: str | None = None, customer: str | None = None, external_id: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(number=number, customer=customer, external_id=external_id)


def test_partitions_are_numbers_and_ranges() -> None:
    assert partitions_of("0-3,7") == [0, 1, 2, 3, 7]


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "1,,2", "1-b"])
def test_nonsense_names_no_partitions(text: str) -> None:
    with pytest.raises(UsedWrongly, match="names no partitions"):
        partitions_of(text)


def test_a_number_is_read_as_dialled_in_the_region() -> None:
    assert asked_for(arguments("0722 123 456"), "RO") == Asked(phone=PhoneNumber("+40722123456"))


def test_a_withheld_number_asks_for_nobody() -> None:
    assert asked_for(arguments("anonymous"), "RO") == Asked()


def test_a_source_may_hold_colons() -> None:
    asked = asked_for(arguments(external_id="https://shop.example:17"), "RO").external_id
    assert asked is not None
    assert (asked.source, asked.id) == ("https://shop.example", "17")


def test_our_own_id_is_taken() -> None:
    assert asked_for(arguments(customer=ID), "RO") == Asked(customer=UUID(ID))


@pytest.mark.parametrize(
    "given",
    [arguments(), arguments("0722 123 456", ID), arguments(customer="17"), arguments(external_id="shop"), arguments(external_id=":17")],
)
def test_exactly_one_good_way_of_asking(given: argparse.Namespace) -> None:
    with pytest.raises(UsedWrongly):
        asked_for(given, "RO")


def test_errors_that_are_sentences_are_told_as_they_are() -> None:
    assert sentence_of(LogUnreachable("The broker is away.")) == "The broker is away."
    assert sentence_of(RuntimeError("a bug")) is None


def test_wrong_use_has_its_own_exit_code() -> None:
    assert [exit_code_of(error) for error in (SettingsError("x"), UsedWrongly("x"), LogUnreachable("x"))] == [2, 2, 1]
