"""The acceptance rule: a table of its sentences, and the same verdicts as a second, naive implementation, whatever comes in what order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.acceptance import Accepted, Refused, Standing, judge
from infra.codec.envelope import Envelope
from tests.infra.history import Commit, Writers, envelope_of, verdicts

Judge = Callable[..., Accepted | Refused]
KEY, OTHER = "6f9619ff-8b86-4011-b42d-00cf4fc964ff", "3b241101-e2bb-4255-8caf-4136c566a962"
A, B = "aaaaaaaa-0000-4000-8000-000000000000", "bbbbbbbb-0000-4000-8000-000000000000"
COMMIT = "cccccccc-0000-4000-8000-000000000000"


def commit(*events: tuple[str, int], reads: dict[str, int] | None = None, key: str = KEY, commit_id: str = COMMIT) -> Envelope:
    return Envelope(commit_id, key, reads or {}, [{"stream": stream, "version": version} for stream, version in events], {})


AT_3 = Standing({(KEY, A): 3})

TABLE = [
    ("a new stream begins at 1", commit((B, 1)), True),
    ("a new stream does not begin at 2", commit((B, 2)), False),
    ("the next version", commit((A, 4)), True),
    ("a version that is there", commit((A, 3)), False),
    ("a gap", commit((A, 5)), False),
    ("two in order", commit((A, 4), (A, 5)), True),
    ("two in disorder", commit((A, 5), (A, 4)), False),
    ("twice the same", commit((A, 4), (A, 4)), False),
    ("several streams, in turn each", commit((B, 1), (A, 4), (B, 2), (A, 5)), True),
    ("one bad event refuses all", commit((A, 4), (B, 2)), False),
    ("the same stream under another key is another stream", commit((A, 4), key=OTHER), False),
    ("another key begins at 1", commit((A, 1), key=OTHER), True),
    ("read and unchanged", commit((B, 1), reads={A: 3}), True),
    ("read and moved on", commit((B, 1), reads={A: 2}), False),
    ("read and not there yet", commit((B, 1), reads={A: 4}), False),
    ("read and absent", commit((A, 4), reads={B: 0}), True),
    ("read as absent, and there", commit((B, 1), reads={A: 0}), False),
    ("read is of the same key", commit((B, 1), reads={A: 3}, key=OTHER), False),
    ("read and written: before the commit", commit((A, 4), reads={A: 3}), True),
    ("read and written: not after it", commit((A, 4), reads={A: 4}), False),
]


@pytest.mark.parametrize(("sentence", "given_commit", "accepted"), TABLE, ids=[sentence for sentence, _, _ in TABLE])
def test_the_rule(sentence: str, given_commit: Envelope, accepted: bool) -> None:
    for decisions in (True, False):
        assert isinstance(judge(given_commit, AT_3, decisions=decisions), Accepted) is accepted, sentence


def test_a_commit_id_is_accepted_once_under_a_key_in_the_decisions_alone() -> None:
    standing = Standing({(KEY, A): 3}, {(KEY, COMMIT)})
    assert isinstance(judge(commit((A, 4)), standing, decisions=True), Refused)
    assert isinstance(judge(commit((A, 4)), standing, decisions=False), Accepted)
    assert isinstance(judge(commit((A, 4), commit_id=OTHER), standing, decisions=True), Accepted)
    assert isinstance(judge(commit((A, 1), key=OTHER), standing, decisions=True), Accepted)


def test_judging_changes_nothing() -> None:
    standing = Standing({(KEY, A): 3}, {(KEY, OTHER)})
    verdict = judge(commit((A, 4), (B, 1)), standing, decisions=True)
    assert standing == Standing({(KEY, A): 3}, {(KEY, OTHER)})
    assert verdict == Accepted({(KEY, A): 4, (KEY, B): 1})


def folded(log: list[Commit], rule: Judge, *, decisions: bool) -> list[bool]:
    """What the rule makes of a log, as the indexer uses it."""
    standing, found = Standing(), []
    for one in log:
        envelope = envelope_of(one)
        verdict = rule(envelope, standing, decisions=decisions)
        found.append(isinstance(verdict, Accepted))
        if isinstance(verdict, Accepted):
            standing.versions.update(verdict.versions)
            standing.commits.add((envelope.key, envelope.id))
    return found


def agree(random: Random, decisions: bool, rule: Judge = judge) -> bool:
    log = Writers(random, decisions).history(random.randrange(1, 40))
    return folded(log, rule, decisions=decisions) == verdicts(log, decisions=decisions)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.booleans())
def test_both_implementations_agree(random: Random, decisions: bool) -> None:
    assert agree(random, decisions)


@pytest.mark.soak
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.booleans())
def test_both_implementations_agree_for_long(random: Random, decisions: bool) -> None:
    assert agree(random, decisions)


def without_reads(envelope: Envelope, standing: Standing, *, decisions: bool) -> Accepted | Refused:
    return judge(replace(envelope, reads={}), standing, decisions=decisions)


def without_ids(envelope: Envelope, standing: Standing, *, decisions: bool) -> Accepted | Refused:
    return judge(envelope, replace(standing, commits=set()), decisions=decisions and False)


def first_event_only(envelope: Envelope, standing: Standing, *, decisions: bool) -> Accepted | Refused:
    first = judge(replace(envelope, events=envelope.events[:1]), standing, decisions=decisions)
    if isinstance(first, Refused):
        return first
    return Accepted({(envelope.key, event["stream"]): event["version"] for event in envelope.events})


def without_keys(envelope: Envelope, standing: Standing, *, decisions: bool) -> Accepted | Refused:
    return judge(replace(envelope, key=KEY), standing, decisions=decisions)


def growing(envelope: Envelope, standing: Standing, *, decisions: bool) -> Accepted | Refused:
    """Any larger version will do."""
    moved = {(envelope.key, event["stream"]): event["version"] for event in envelope.events}
    verdict = judge(envelope, standing, decisions=decisions)
    grows = all(version > standing.versions.get(stream, 0) for stream, version in moved.items())
    return Accepted(moved) if isinstance(verdict, Refused) and "version" in verdict.reason and grows else verdict


@pytest.mark.parametrize("broken", [without_reads, without_ids, first_event_only, without_keys, growing])
def test_a_broken_rule_is_found(broken: Judge) -> None:
    assert not all(agree(Random(seed), decisions=True, rule=broken) for seed in range(200))


def test_the_histories_reach_what_they_are_made_for() -> None:
    """Accepted and refused commits both, duplicates, repeated ids, reads that hold and that do not, commits of several streams."""
    log = Writers(Random(1), decisions=True).history(300)
    found = verdicts(log, decisions=True)
    accepted = [one for one, verdict in zip(log, found, strict=True) if verdict]
    refused = [one for one, verdict in zip(log, found, strict=True) if not verdict]
    for some in (accepted, refused):
        assert len(some) > 60
        assert any(one["reads"] for one in some)
        assert any(len({event["stream"] for event in one["events"]}) > 1 for one in some)
        assert any(one["attempt"] > 1 for one in some)
    assert any(one in accepted for one in refused), "a record that came twice"
