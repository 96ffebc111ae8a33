"""Matched, never guessed: who it could be, the likeliest first, each with the reason. One at a time, and in bulk for facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.customer import CustomerCaptured
from domain.customer_emails import EmailAdded
from domain.customer_phones import PhoneAdded, PhoneCorrected, PhoneRemoved
from domain.email import Email, EmailAddress
from domain.external_id import ExternalId
from domain.fact import Candidate, Match, MatchHow
from domain.phone import Phone, PhoneKind, PhoneNumber
from domain.pointer import CustomerMerged, CustomerUnmerged, ExternalIdLinked
from projections.candidates import Asked, FoundCustomer, candidates
from projections.identity import IDENTITY
from projections.matching import owners
from projections.timeline import ENTRY
from tests.projections.said import ANA, BOB, DAY, EVA, START, Past, ReadModel, read_model

NUMBER, OTHER = PhoneNumber("+40211234567"), PhoneNumber("+40721999999")
MAIL = EmailAddress("office@example.com")
SHARED, DIRECT, MAYBE, EMAIL = MatchHow.SHARED_LINE, MatchHow.DIRECT_LINE, MatchHow.MAYBE, MatchHow.EMAIL


class Directory:
    """Customers and what they are known by."""

    def __init__(self, model: ReadModel) -> None:
        self.model, self.past = model, Past()
        for customer in (ANA, BOB, EVA):
            self.says(customer, CustomerCaptured(company="ACME"))

    def says(self, customer: UUID, *events: Any, day: int = 0) -> None:
        self.model.fold(*(self.past.of(customer, event, day) for event in events))

    def points(self, stream: UUID, event: Any, day: int = 0) -> None:
        self.model.fold(self.past.pointer(stream, event, day))

    def found(self, *, at: Any = None, **asked: Any) -> list[tuple[UUID, MatchHow]]:
        return [(one.customer, one.how) for one in self.all(at=at, **asked)]

    def all(self, *, at: Any = None, **asked: Any) -> list[FoundCustomer]:
        return candidates(self.model.cursor, Asked(**asked), at)

    def match(self, phone: PhoneNumber | None = None, email: EmailAddress | None = None) -> Match:
        return owners(self.model.cursor, [phone] if phone else [], [email] if email else []).match(phone, email)


@pytest.fixture
def directory(dsn: str) -> Iterator[Directory]:
    with read_model(dsn, IDENTITY) as model:
        model.cursor.execute(ENTRY.create_sql("read"))
        yield Directory(model)


def phone(number: PhoneNumber = NUMBER, kind: PhoneKind = PhoneKind.DIRECT_LINE, **more: Any) -> PhoneAdded:
    return PhoneAdded(Phone(number, kind, **more))


def test_a_direct_line_that_one_customer_has_says_who_calls(directory: Directory) -> None:
    directory.says(ANA, phone(label="office", since=date(2020, 1, 1)))
    assert directory.all(phone=NUMBER) == [FoundCustomer(ANA, DIRECT, ANA, "office", date(2020, 1, 1), PhoneKind.DIRECT_LINE)]
    assert directory.match(NUMBER) == Match(ANA, DIRECT)


def test_a_mobile_is_one_persons_too(directory: Directory) -> None:
    directory.says(ANA, phone(kind=PhoneKind.MOBILE))
    assert directory.found(phone=NUMBER) == [(ANA, DIRECT)]


@pytest.mark.parametrize("kind", [PhoneKind.SHARED_LINE, PhoneKind.FAX])
def test_a_shared_line_or_a_fax_is_no_ones_own_even_where_one_customer_has_it(directory: Directory, kind: PhoneKind) -> None:
    directory.says(ANA, phone(kind=kind))
    assert directory.found(phone=NUMBER) == [(ANA, SHARED)]
    assert directory.match(NUMBER) == Match(ANA, SHARED), "there is nobody else whom it could be"


def test_a_direct_line_of_two_is_in_truth_shared_and_both_are_offered(directory: Directory) -> None:
    directory.says(BOB, phone(since=date(2021, 1, 1)))
    directory.says(ANA, phone(since=date(2022, 1, 1)))
    assert directory.found(phone=NUMBER) == [(BOB, SHARED), (ANA, SHARED)]
    assert directory.match(NUMBER) == Match(None, SHARED, (Candidate(ANA, SHARED), Candidate(BOB, SHARED)))


def test_those_who_share_a_line_are_ranked_own_line_first_fax_last(directory: Directory) -> None:
    directory.says(ANA, phone(kind=PhoneKind.FAX))
    directory.says(BOB, phone(kind=PhoneKind.SHARED_LINE))
    directory.says(EVA, phone(kind=PhoneKind.DIRECT_LINE))
    assert directory.found(phone=NUMBER) == [(EVA, SHARED), (BOB, SHARED), (ANA, SHARED)]


def test_an_extension_makes_a_line_ones_own(directory: Directory) -> None:
    twelve, switchboard = PhoneNumber(NUMBER.e164, extension="12"), NUMBER
    directory.says(ANA, phone(twelve))
    directory.says(BOB, phone(PhoneNumber(NUMBER.e164, extension="34")))
    assert directory.found(phone=twelve) == [(ANA, DIRECT), (BOB, SHARED)]
    assert directory.match(twelve).customer == ANA
    assert directory.found(phone=switchboard) == [(ANA, SHARED), (BOB, SHARED)]
    assert directory.match(switchboard).customer is None


def test_a_number_with_an_extension_behind_it_is_not_taken_for_its_only_known_holder(directory: Directory) -> None:
    directory.says(ANA, phone(PhoneNumber(NUMBER.e164, extension="12")))
    assert directory.found(phone=NUMBER) == [(ANA, SHARED)]


def test_the_last_digits_are_a_maybe_and_only_where_nothing_is_sure(directory: Directory) -> None:
    abroad = PhoneNumber("+498711234567")
    directory.says(ANA, phone(NUMBER))
    assert directory.found(phone=abroad) == [(ANA, MAYBE)]
    assert directory.match(abroad) == Match(None, MAYBE, (Candidate(ANA, MAYBE),)), "offered, never taken"
    directory.says(BOB, phone(abroad))
    assert directory.found(phone=abroad) == [(BOB, DIRECT)]
    assert directory.match(abroad) == Match(BOB, DIRECT)


def test_a_short_number_is_like_no_other(directory: Directory) -> None:
    directory.says(ANA, phone(PhoneNumber("+4012")))
    assert directory.found(phone=PhoneNumber("+4912")) == []


def test_an_address_is_found_however_it_is_written(directory: Directory) -> None:
    directory.says(ANA, EmailAdded(Email(MAIL)))
    assert directory.found(email=EmailAddress("OFFICE@example.com")) == [(ANA, EMAIL)]
    directory.says(BOB, EmailAdded(Email(EmailAddress("Office@example.com"))))
    assert {one for one, _ in directory.found(email=MAIL)} == {ANA, BOB}
    assert directory.match(email=MAIL).customer is None
    assert {candidate.customer for candidate in directory.match(email=MAIL).candidates} == {ANA, BOB}


def test_an_address_outweighs_a_shared_line_and_a_direct_line_outweighs_an_address(directory: Directory) -> None:
    directory.says(ANA, phone())
    directory.says(BOB, phone(), EmailAdded(Email(MAIL)))
    assert directory.found(phone=NUMBER, email=MAIL) == [(BOB, EMAIL), (ANA, SHARED)]
    assert directory.match(NUMBER, MAIL) == Match(BOB, EMAIL, (Candidate(ANA, SHARED),))
    directory.says(EVA, phone(OTHER))
    assert directory.match(OTHER, MAIL) == Match(EVA, DIRECT, (Candidate(BOB, EMAIL),))


def test_ids_need_no_number(directory: Directory) -> None:
    external_id = ExternalId("shop", "17")
    assert directory.found(external_id=external_id) == []
    directory.says(external_id.customer, CustomerCaptured(external_id))
    assert directory.found(external_id=external_id) == [(external_id.customer, MatchHow.EXTERNAL_ID)]
    assert directory.found(customer=ANA) == [(ANA, MatchHow.ID)]
    assert directory.found(customer=UUID(int=99)) == [], "an id of nobody's"


def test_a_customer_of_whom_only_purchases_are_known_is_found_by_the_sources_id(directory: Directory) -> None:
    external_id = ExternalId("shop", "only in orders")
    directory.model.cursor.execute(
        """INSERT INTO read.timeline_entry (key, stream, version, customer, type, fact, active, occurred_at, log_time, topic, partition,
                   log_offset, place, summary)
           VALUES (%(id)s, %(id)s, 1, %(id)s, 'purchase.made', true, true, now(), now(), 'f', 0, 0, 0, '{}')""",
        {"id": external_id.customer},
    )
    assert directory.found(external_id=external_id) == [(external_id.customer, MatchHow.EXTERNAL_ID)]


def test_a_linked_external_id_leads_to_its_customer(directory: Directory) -> None:
    external_id = ExternalId("erp", "4711")
    directory.points(external_id.customer, ExternalIdLinked(external_id, ANA))
    (one,) = directory.all(external_id=external_id)
    assert (one.customer, one.how, one.via) == (ANA, MatchHow.EXTERNAL_ID, external_id.customer)


def test_who_is_merged_is_found_as_the_one_it_is_part_of(directory: Directory) -> None:
    directory.says(ANA, phone())
    directory.points(ANA, CustomerMerged(BOB))
    directory.points(BOB, CustomerMerged(EVA))
    (one,) = directory.all(phone=NUMBER)
    assert (one.customer, one.how, one.via) == (EVA, DIRECT, ANA)
    assert directory.match(NUMBER) == Match(ANA, DIRECT), "a fact keeps whose number it was, so that an un-merge needs no correction"
    directory.points(ANA, CustomerUnmerged(BOB))
    assert directory.found(phone=NUMBER) == [(ANA, DIRECT)]


def test_two_who_were_merged_share_no_line(directory: Directory) -> None:
    directory.says(ANA, phone())
    directory.says(BOB, phone())
    directory.points(ANA, CustomerMerged(BOB))
    assert directory.found(phone=NUMBER) == [(BOB, DIRECT)]
    assert directory.match(NUMBER).how is DIRECT


def test_a_circle_of_pointers_ends(directory: Directory) -> None:
    """The rules of merging accept none; a question must end all the same."""
    directory.says(ANA, phone())
    directory.points(ANA, CustomerMerged(BOB))
    directory.points(BOB, CustomerMerged(ANA))
    assert len(directory.all(phone=NUMBER)) == 1


def test_what_was_removed_or_corrected_finds_nobody(directory: Directory) -> None:
    directory.says(ANA, phone())
    directory.says(ANA, PhoneCorrected(NUMBER, Phone(OTHER)), day=1)
    assert directory.found(phone=NUMBER) == []
    assert directory.match(NUMBER) == Match()
    directory.says(ANA, PhoneRemoved(OTHER), day=2)
    assert directory.found(phone=OTHER) == []


def test_a_number_with_a_last_day_yet_to_come_is_theirs_until_then(directory: Directory) -> None:
    directory.says(ANA, phone(), PhoneRemoved(NUMBER, date.today() + timedelta(days=3)))  # noqa: DTZ011 - the database's day, too
    assert directory.found(phone=NUMBER) == [(ANA, DIRECT)]


def test_a_question_about_the_past_finds_who_it_was_then(directory: Directory) -> None:
    directory.says(ANA, phone(), day=1)
    directory.says(ANA, PhoneRemoved(NUMBER), day=10)
    directory.says(BOB, phone(), day=20)
    directory.points(ANA, CustomerMerged(EVA), day=5)
    assert directory.found(phone=NUMBER, at=START) == []
    assert directory.found(phone=NUMBER, at=START + 2 * DAY) == [(ANA, DIRECT)]
    assert directory.found(phone=NUMBER, at=START + 6 * DAY) == [(EVA, DIRECT)]
    assert directory.found(phone=NUMBER, at=START + 15 * DAY) == []
    assert directory.found(phone=NUMBER) == [(BOB, DIRECT)]


def test_thousands_are_matched_in_two_queries(directory: Directory) -> None:
    numbers = [PhoneNumber(f"+4072{number:07d}") for number in range(2_000)]
    addresses = [EmailAddress(f"u{number}@example.com") for number in range(2_000)]
    directory.says(ANA, phone(numbers[17]))
    directory.says(BOB, EmailAdded(Email(addresses[1_999])))
    asked: list[str] = []

    class Counting:
        def execute(self, query: str, values: Any = None) -> None:
            asked.append(query)
            directory.model.cursor.execute(query, values)

        def fetchall(self) -> list[tuple[Any, ...]]:
            return directory.model.cursor.fetchall()

        def copy_expert(self, sql: str, file: Any) -> None:
            raise AssertionError(sql, file)

    found = owners(Counting(), numbers, addresses)
    assert len(asked) == 2
    matches = [found.match(number, address) for number, address in zip(numbers, addresses, strict=True)]
    assert [match.customer for match in matches if match.customer] == [ANA, BOB]
    assert (matches[17].how, matches[1_999].how) == (DIRECT, EMAIL)
