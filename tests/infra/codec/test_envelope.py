"""What the bytes of a record are, judged the same by every reader for ever."""

from __future__ import annotations

import pytest

from infra.codec.envelope import Envelope, HigherFormat, NotAnEnvelope, read_envelope
from tests.infra.codec.hostile import CASES, KEY, RECORD_KEY, Case, Verdict, commit, envelope, event, stream


@pytest.mark.parametrize("case", [case for case in CASES if not case.misplaced], ids=lambda case: case.name)
def test_the_bytes_of_a_record(case: Case) -> None:
    match case.verdict:
        case Verdict.REFUSED:
            with pytest.raises(NotAnEnvelope):
                read_envelope(case.value, case.key)
        case Verdict.STOPS:
            with pytest.raises(HigherFormat):
                read_envelope(case.value, case.key)
        case Verdict.ACCEPTED | Verdict.STALE:
            assert read_envelope(case.value, case.key).key == str(KEY)


def test_no_case_stands_for_another() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert len({case.value for case in CASES if case.verdict is Verdict.ACCEPTED}) == sum(c.verdict is Verdict.ACCEPTED for c in CASES)


def test_an_envelope_holds_what_the_rule_needs_and_the_rest_beside_it() -> None:
    read = read_envelope(envelope("one", reads=f'{{"{KEY}":7}}', events=f"[{event('one')},{event('two')}]"), RECORD_KEY)
    assert isinstance(read, Envelope)
    assert (read.id, read.key, read.reads) == (str(commit("one")), str(KEY), {str(KEY): 7})
    assert [(e["stream"], e["version"]) for e in read.events] == [(str(stream("one")), 1), (str(stream("two")), 1)]
    assert read.rest["actor"] == "user:test"
