"""Derived identities (design, section 11). Everything that can be met again is derived; the rest is random."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5

POINTERS = uuid5(NAMESPACE_URL, "annals:pointers")
"""The one key under which all pointers live, so that A→B and B→A cannot both be accepted."""


def source_namespace(source: str) -> UUID:
    """The namespace of everything that one source named."""
    return uuid5(NAMESPACE_URL, source)


def customer_id(source: str, external_id: str) -> UUID:
    """The id of a customer that an outside system knows: facts find it without a look-up."""
    return uuid5(source_namespace(source), "customer:" + external_id)


def fact_key(source: str, subject: str) -> UUID:
    """The key of all facts about one subject (a call, a mail, an order): they stay in order, and are one interaction."""
    return uuid5(source_namespace(source), subject)


def fact_stream(key: UUID, fact_id: str) -> UUID:
    """The stream of one fact: a redelivery meets itself and is refused."""
    return uuid5(key, fact_id)


def commit_id(actor: str, idempotency_key: str) -> UUID:
    """The id of a command's commit: a repeat meets itself."""
    return uuid5(uuid5(NAMESPACE_URL, actor), idempotency_key)


def created_by(commit: UUID, what: str) -> UUID:
    """The id of something that a command creates, so that a repeated command creates the same thing."""
    return uuid5(commit, what)
