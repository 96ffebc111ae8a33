"""E-mail and postal addresses, names, languages, external ids: what is taken, how it is compared, what is refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.address import Address, PostalAddress
from domain.country import COUNTRIES
from domain.decider import DomainError
from domain.email import Email, EmailAddress
from domain.external_id import ExternalId
from domain.ids import customer_id
from domain.language import language_tag, require_language
from domain.person_name import PersonName
from domain.value import InvalidValue, require_label, require_line, require_reason, require_text, tidy


def test_an_invalid_value_is_both_a_refusal_and_a_value_error() -> None:
    assert issubclass(InvalidValue, DomainError)
    assert issubclass(InvalidValue, ValueError)


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        (" Ana.Pop@Example.COM ", "Ana.Pop@example.com"),
        ('"Pop, Ana" <ana@example.com>', "ana@example.com"),
        ("Ana <ana@Example.com>", "ana@example.com"),
        ("<ana@example.com>", "ana@example.com"),
        ("ana+crm@sub.example.co.uk", "ana+crm@sub.example.co.uk"),
        ("o'brien@example.ie", "o'brien@example.ie"),
        ("ana@BÜCHER.example", "ana@bücher.example"),
        ("root@localhost", "root@localhost"),
        ("ana@[10.0.0.1]", "ana@[10.0.0.1]"),
        ("anä@example.com", "an\u00e4@example.com"),
    ],
)
def test_an_address_is_read_as_people_write_it(raw: str, address: str) -> None:
    assert EmailAddress.parse(raw) == EmailAddress(address)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "ana",
        "@",
        "ana@",
        "@example.org",
        "a@b@c",
        "ana pop@example.com",
        "ana@exam ple.com",
        "ana@example..com",
        "ana@.com",
        "ana@com.",
        "ana\x00@example.com",
        "ana@example.com\ud800",
        "ana@example.com, bob@example.com",
        "Ana <ana@example.com> <x>",
        "a" * 65 + "@example.com",
        "a@" + "b" * 253,
        "ana@\u00a0example.com",
        "ana@exa\nmple.com",
        "<>",
        "<" * 2000,
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(raw: str) -> None:
    with pytest.raises(InvalidValue, match=r"e-mail address.*\.$") as caught:
        EmailAddress.parse(raw)
    assert len(raw) < 5 or raw not in str(caught.value)


def test_values_are_taken_up_to_their_limits() -> None:
    assert EmailAddress("a@" + "b" * 252).key
    with pytest.raises(InvalidValue, match="254"):
        EmailAddress("a@" + "b" * 253)
    assert EmailAddress.parse("x" * 993 + "<a@b.c>").address == "a@b.c"
    with pytest.raises(InvalidValue, match="254"):
        EmailAddress.parse("x" * 994 + "<a@b.c>")
    assert len(PostalAddress(("x",) * 10).lines) == 10


def test_a_domain_stands_in_small_letters() -> None:
    with pytest.raises(InvalidValue, match="small letters"):
        EmailAddress("ana@Example.com")


def test_addresses_are_compared_without_regard_to_capitals_and_composition() -> None:
    assert EmailAddress("Ana@example.com").key == EmailAddress("ana@example.com").key
    assert Email(EmailAddress("Straße@example.com")).key == Email(EmailAddress("STRASSE@example.com")).key
    assert EmailAddress("ana\u0308@example.com").key == EmailAddress("an\u00e4@example.com").key


def test_a_postal_address_is_tidied_as_it_comes_in() -> None:
    address = PostalAddress.of(["  12,  Main Street ", "", " "], " 010101 ", "Bucharest", "", "ro")
    assert address == PostalAddress(("12, Main Street",), "010101", "Bucharest", None, "RO")


def test_a_country_alone_is_an_address() -> None:
    assert PostalAddress.of(country="gb").country == "GB"


def test_postal_addresses_are_compared_without_regard_to_capitals() -> None:
    one, other = PostalAddress(("Main Street 1",), city="Cluj"), PostalAddress(("MAIN STREET 1",), city="CLUJ")
    assert Address(one).key == Address(other).key
    assert PostalAddress(city="Cluj").key != PostalAddress(region="Cluj").key


@pytest.mark.parametrize(
    ("make", "saying"),
    [
        (PostalAddress, "empty"),
        (lambda: PostalAddress.of([" "], "", None, " "), "empty"),
        (lambda: PostalAddress(("",)), "line of the postal address is empty"),
        (lambda: PostalAddress(("a\nb",)), "line break"),
        (lambda: PostalAddress(("x",) * 11), "10 lines"),
        (lambda: PostalAddress(city="x" * 201), "city has 201 characters"),
        (lambda: PostalAddress(postal_code="\x07"), "control character"),
        (lambda: PostalAddress(country="ro"), "ISO 3166"),
        (lambda: PostalAddress(country="ZZ"), "ISO 3166"),
        (lambda: PostalAddress(country="UK"), "write GB"),
        (lambda: PostalAddress(country="EL"), "write GR"),
        (lambda: Address(PostalAddress(city="Cluj"), label=""), "label"),
        (lambda: Email(EmailAddress("a@b.c"), label="x" * 101), "label"),
        (PersonName, "name is empty"),
        (lambda: PersonName.of(" ", "", None), "name is empty"),
        (lambda: PersonName(given=""), "given name is empty"),
        (lambda: PersonName(family="a\tb"), "control character"),
        (lambda: PersonName(full="x" * 301), "301"),
        (lambda: ExternalId("", "1"), "source is empty"),
        (lambda: ExternalId("shop", " "), "external id is empty"),
        (lambda: ExternalId("shop", "1\x00"), "control character"),
        (lambda: ExternalId("x" * 513, "1"), "513"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_a_sentence(make: Callable[[], Any], saying: str) -> None:
    with pytest.raises(InvalidValue, match=saying) as caught:
        make()
    assert str(caught.value).endswith(".")


def test_the_table_of_countries() -> None:
    assert len(COUNTRIES) == 250
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in COUNTRIES)


def test_a_name_is_shown_in_full_or_from_its_parts() -> None:
    assert PersonName.of(" Ana  Maria ", "Pop").text == "Ana Maria Pop"
    assert PersonName("Ana", "Pop", "Pop Ana").text == "Pop Ana"
    assert PersonName(family="Pop").text == "Pop"


@pytest.mark.parametrize(
    ("tag", "usual"), [("RO", "ro"), ("pt-br", "pt-BR"), ("ZH-hant-tw", "zh-Hant-TW"), ("es-419", "es-419"), ("sl-ROZAJ", "sl-rozaj")]
)
def test_a_language_tag_gets_its_usual_case(tag: str, usual: str) -> None:
    require_language(tag)
    assert language_tag(tag) == usual


def test_a_language_tag_of_35_characters_is_taken() -> None:
    require_language("de-" + "a-" * 15 + "bb")
    with pytest.raises(InvalidValue, match="pt-BR"):
        require_language("de-" + "a-" * 15 + "bbb")


@pytest.mark.parametrize("tag", ["", "r", "română", "ro_RO", "ro-", "ro RO", "x" * 9, "de-" + "a-" * 20 + "b", "ro\n"])
def test_what_is_no_language_tag_is_refused(tag: str) -> None:
    with pytest.raises(InvalidValue, match="pt-BR"):
        require_language(tag)


def test_an_external_id_leads_to_its_customer() -> None:
    assert ExternalId("shop", "17850").customer == customer_id("shop", "17850")


def test_free_text_has_line_breaks_but_nothing_that_cannot_be_stored() -> None:
    require_text("one\ntwo\tthree 🙂", "The text", 100)
    for text, saying in (("", "empty"), (" \n", "empty"), ("a\x00", "NUL"), ("a\udc00", "surrogate"), ("x" * 101, "101")):
        with pytest.raises(InvalidValue, match=saying):
            require_text(text, "The text", 100)


@pytest.mark.parametrize("text", ["a\nb", "a\x1bb", "a\x85b", "a\u2028b", "a\ud800b"])
def test_a_line_has_no_breaks_and_no_control_characters(text: str) -> None:
    with pytest.raises(InvalidValue, match="on one line"):
        require_line(text, "The name", 100)


def test_reasons_and_labels_are_optional_but_not_empty() -> None:
    require_reason(None)
    require_label(None)
    require_reason("said so\non the phone")
    require_reason("x" * 2000)
    require_label("x" * 100)
    with pytest.raises(InvalidValue, match="2,001"):
        require_reason("x" * 2001)
    for require in (require_reason, require_label):
        with pytest.raises(InvalidValue, match="empty"):
            require("  ")


def test_tidy_leaves_single_blanks_or_nothing() -> None:
    assert tidy("  a \n b ") == "a b"
    assert tidy("  ") is None
    assert tidy(None) is None
