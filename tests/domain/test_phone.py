"""Every usual writing of a number is the same number; what is no number is refused; a withheld one is never a number."""

from __future__ import annotations

import re
from datetime import date

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType

from domain.phone import Phone, PhoneKind, PhoneNumber
from domain.value import InvalidValue
from domain.withheld import STAND_INS, WORDS, is_withheld

KINDS = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.TOLL_FREE)


def writings(example: phonenumbers.PhoneNumber, region: str) -> dict[str, str]:
    """One number in the ways in which it is written and dialled in its own region."""
    e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)
    national = phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(example, PhoneNumberFormat.INTERNATIONAL)
    ways = {
        "national": national,
        "international": international,
        "00": "00" + e164[1:],
        "spaces": f"  {' '.join(e164)} ",
        "brackets": re.sub(r"^([0-9]+)[ -]", r"(\1) ", national),
        "RFC 3966": phonenumbers.format_number(example, PhoneNumberFormat.RFC3966),
        "slashes": re.sub(r"^([0-9]+)[ -]", r"\1/", national),
    }
    if abroad := dialled_abroad(region):
        ways["the region's own prefix for abroad"] = abroad + e164[1:]
    if plan(region).national_prefix == "0":
        ways["the 0 in brackets"] = re.sub(r"^(\+[0-9]+) ", r"\1 (0)", international)
    return ways


def plan(region: str) -> PhoneMetadata:
    """How numbers are dialled in a region."""
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    return metadata


def dialled_abroad(region: str) -> str | None:
    """What is dialled before a country's code; None where a carrier is to be chosen first."""
    prefix = plan(region).preferred_international_prefix or plan(region).international_prefix or ""
    return prefix if re.fullmatch("[0-9]+", prefix) else None


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.sampled_from(KINDS))
@settings(max_examples=400, deadline=None)
def test_every_writing_of_a_number_is_the_same_number(region: str, kind: int) -> None:
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return
    expected = phonenumbers.format_number(example, PhoneNumberFormat.E164)
    read = {way: PhoneNumber.parse(writing, region).e164 for way, writing in writings(example, region).items()}
    assert read == dict.fromkeys(read, expected)


@pytest.mark.parametrize(
    "raw",
    [
        "0721 123 456",
        "+40721123456",
        "0040 721 123 456",
        "(0721) 123-456",
        "0721/123.456",
        "tel:+40-721-123-456",
        "+40 (0)721 123 456",
        "+40 (0) 721 123 456",
        "40721123456",
        "\t0721123456\n",
        "\uff10\uff17\uff12\uff11\uff11\uff12\uff13\uff14\uff15\uff16",
        "\u202a+40 721 123 456\u202c",
        "Tel. 0721 123 456",
    ],
)
def test_one_romanian_mobile_in_many_writings(raw: str) -> None:
    number = PhoneNumber.parse(raw, "RO")
    assert number == PhoneNumber("+40721123456")
    assert number.raw == raw.strip()


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("+39 (0)6 1234 5678", "IT", "+390612345678"),  # in Italy the 0 belongs to the number
        ("+34 (0)91 123 4567", "ES", "+34911234567"),  # in Spain there is none, whatever people write
        ("0040721123456", "US", "+40721123456"),  # 00 means abroad to whoever writes it
        ("011 40 721 123 456", "US", "+40721123456"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("+800 1234 5678", "RO", "+80012345678"),
        ("+1 555 123 4567", "RO", "+15551234567"),  # not in the plan, but of a possible length
        ("+55 11 98765 4321", "RO", "+5511987654321"),
    ],
)
def test_numbers_of_other_countries(raw: str, region: str, e164: str) -> None:
    assert PhoneNumber.parse(raw, region).e164 == e164


@pytest.mark.parametrize(
    "raw", ["021 123 4567 int. 12", "021 123 4567 ext 12", "021 123 4567x12", "tel:+40-21-123-4567;ext=12", "+40 21 123 4567 extension 12"]
)
def test_an_extension_is_kept_beside_the_number(raw: str) -> None:
    number = PhoneNumber.parse(raw, "RO")
    assert (number.e164, number.extension) == ("+40211234567", "12")
    assert number != PhoneNumber("+40211234567")
    assert number.key == "+40211234567;ext=12"


def test_an_extension_is_kept_where_the_number_is_only_possible() -> None:
    assert PhoneNumber.parse("+1 555 123 4567 ext 5", "RO") == PhoneNumber("+15551234567", extension="5")


@pytest.mark.parametrize(
    "raw",
    [
        "12",
        "204",
        "112",
        "hello",
        "123 Main Street",
        "0721 123 456 / 457",
        "+40 721 123 456, +40 722 123 456",
        "+40721123456/0722123456",
        "+",
        "tel:7042;phone-context=example.com",
        "1" * 300,
        "0721\x00123456",
        "\u0660\u0667",
        "name@example.com",
        "+999 123 456 789",
    ],
)
def test_what_is_no_number_is_refused_in_a_sentence(raw: str) -> None:
    with pytest.raises(InvalidValue, match=r"^This is no telephone number.*\.$") as caught:
        PhoneNumber.parse(raw, "RO")
    assert len(raw) < 5 or raw not in str(caught.value)


@pytest.mark.parametrize("region", ["AT", "DE", "FI"])
def test_a_street_is_no_telephone_number(region: str) -> None:
    with pytest.raises(InvalidValue, match="no telephone number"):
        PhoneNumber.parse("123 Street A", region)


def test_a_short_number_counts_only_where_the_plan_knows_it() -> None:
    with pytest.raises(InvalidValue, match="no telephone number"):
        PhoneNumber.parse("1234", "DE")
    assert PhoneNumber.parse("4000", "NU").e164 == "+6834000"


@pytest.mark.parametrize("region", ["XX", "", "Romania", "001"])
def test_a_region_without_a_telephone_plan_is_refused(region: str) -> None:
    with pytest.raises(InvalidValue, match="region"):
        PhoneNumber.parse("0721123456", region)


def test_a_region_may_be_written_in_small_letters() -> None:
    assert PhoneNumber.parse("0721123456", "ro").e164 == "+40721123456"


@pytest.mark.parametrize(
    "e164", ["", "40721123456", "+0721123456", "+4", "+1234567890123456", "+40 721", "+\uff14\uff10721123456", "+40721123456\n"]
)
def test_e164_is_a_plus_and_digits(e164: str) -> None:
    with pytest.raises(InvalidValue, match=r"E\.164"):
        PhoneNumber(e164)


@pytest.mark.parametrize("extension", ["", "12a", "1" * 21, "\uff11\uff12"])
def test_an_extension_is_digits(extension: str) -> None:
    with pytest.raises(InvalidValue, match="extension"):
        PhoneNumber("+40721123456", extension=extension)


def test_the_writing_is_text_on_a_line() -> None:
    with pytest.raises(InvalidValue, match="control character"):
        PhoneNumber("+40721123456", "0721\n123456")


def test_last_digits() -> None:
    number = PhoneNumber("+40721123456")
    assert number.last_digits(7) == "1123456"
    assert number.last_digits(99) == "40721123456"
    assert number.last_digits(0) == ""


@pytest.mark.parametrize(
    "raw",
    [*WORDS, *STAND_INS, None, "  ", "Anonymous", "<unknown>", "ANONYMOUS", '"Anonymous" ', "Private_Number", "no-caller-id", "0", "0000",
     "+0", "sip:anonymous@anonymous.invalid", "SIP:unavailable@10.0.0.1", "tel:anonymous", "[unknown]", "-", "...", "N/A", "Unterdrückt"],
)  # fmt: skip
def test_a_withheld_number_is_known_as_one_and_is_no_number(raw: str | None) -> None:
    assert is_withheld(raw)
    with pytest.raises(InvalidValue, match="withheld"):
        PhoneNumber.parse(raw or "", "RO")


@pytest.mark.parametrize(
    "raw", ["0721123456", "+40721123456", "sip:0721123456@pbx", "2562533", "112", "hello", "Ana", "x", "tel:+40-721-123-456"]
)
def test_what_could_be_a_number_or_a_name_is_not_withheld(raw: str) -> None:
    assert not is_withheld(raw)


@given(st.text(max_size=60), st.sampled_from(["RO", "US", "DE", "BR"]))
@settings(max_examples=300, deadline=None)
def test_any_text_is_either_a_number_or_refused(raw: str, region: str) -> None:
    try:
        number = PhoneNumber.parse(raw, region)
    except InvalidValue:
        return
    assert PhoneNumber.parse(number.e164, "US") == PhoneNumber(number.e164)
    assert not is_withheld(raw)


def test_a_mobile_is_one_persons_and_a_shared_line_is_not() -> None:
    assert [kind for kind in PhoneKind if kind.is_one_persons] == [PhoneKind.DIRECT_LINE, PhoneKind.MOBILE]


def test_a_customers_number_has_a_kind_a_label_and_a_first_day() -> None:
    phone = Phone(PhoneNumber("+40721123456", extension="3"), PhoneKind.MOBILE, "weekends", date(2026, 3, 1))
    assert phone.key == "+40721123456;ext=3"
    with pytest.raises(InvalidValue, match="label"):
        Phone(PhoneNumber("+40721123456"), label=" ")
