"""given/when/then itself can fail: a rule that is broken must not look kept."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.customer import CUSTOMER, CaptureCustomer, CustomerAlreadyCaptured, CustomerCaptured, CustomerNotCaptured, SetLanguage
from domain.pointer import POINTER, CustomerMerged, Merge, PointerCycle
from tests.spec import given

A, B = UUID(int=1), UUID(int=2)


def test_other_events_than_expected_are_noticed() -> None:
    when = given(CUSTOMER).when(CaptureCustomer(company="Pop SRL"))
    with pytest.raises(AssertionError):
        when.then(CustomerCaptured(company="Other"))
    with pytest.raises(AssertionError):
        when.then()
    with pytest.raises(AssertionError):
        when.then_nothing()


def test_a_missing_refusal_is_noticed() -> None:
    with pytest.raises(pytest.fail.Exception):
        given(CUSTOMER).when(CaptureCustomer(company="Pop SRL")).then_refused(CustomerNotCaptured)


def test_another_refusal_than_expected_is_noticed() -> None:
    when = given(CUSTOMER).when(SetLanguage("ro"))
    with pytest.raises(AssertionError):
        when.then_refused(CustomerAlreadyCaptured)
    with pytest.raises(AssertionError):
        when.then_refused(CustomerNotCaptured, saying="something else")


def test_a_decision_sees_the_streams_that_its_walk_asked_for() -> None:
    with pytest.raises(PointerCycle):
        given(POINTER).beside(B, CustomerMerged(A)).when(Merge(A, B)).then(CustomerMerged(B))
