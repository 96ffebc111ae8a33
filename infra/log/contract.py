"""What a log is: partitions of numbered records, appended for ever, read in order. Nothing above `infra/log/` knows which log it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

Header = tuple[str, bytes | None]


class Topic(StrEnum):
    """One ordered, partitioned part of the log. The value is its name after the prefix (`crm.decisions`)."""

    DECISIONS = "decisions"
    FACTS = "facts"
    KEYS = "keys"

    @property
    def letter(self) -> str:
        """The letter that positions begin with: d, f, k."""
        return self.value[0]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the log, written `d3:1042`."""

    topic: Topic
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic.letter}{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `d3:1042`. Raises ValueError with a sentence."""
        topic = next((t for t in Topic if t.letter == text[:1]), None)
        partition, colon, offset = text[1:].partition(":")
        if topic is None or not colon or not (partition.isascii() and partition.isdigit() and offset.isascii() and offset.isdigit()):
            raise ValueError(f"{text!r} is no position; one looks like d3:1042")
        return cls(topic, int(partition), int(offset))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to append. Its partition is murmur2(key) modulo the topic's partition count, computed by the log."""

    key: bytes
    value: bytes
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read. `timestamp` is the append time in milliseconds since 1970, as the log gave it."""

    topic: Topic
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()


class LogError(Exception):
    """Something about the log that a person must know; the message is a sentence."""


class LogUnreachable(LogError):
    """The log did not answer, and nothing was handed over: the command may be sent again."""


class RecordTooLarge(LogError):
    """The record is over the log's size limit; it was refused before sending."""


class LogMisconfigured(LogError):
    """A topic is not what the design demands; starting would risk the truth."""


class Reader(Protocol):
    """Follows partitions from given offsets. Not thread-safe."""

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """Up to `limit` records, in order within each partition; waits up to `timeout` seconds for the first.

        Raises LogUnreachable when the log is away; the same reader may be polled again later and goes on where it was.
        Raises LogError when the log does not hold the next record: it was cut, or an older backup was restored.
        """
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Log(Protocol):
    """The contract that KafkaLog and EmbeddedLog share; one test suite runs on both. Thread-safe."""

    max_record_bytes: int

    def partitions(self, topic: Topic) -> int:
        """How many partitions the topic has, for ever."""
        ...

    def check(self) -> None:
        """Create what is missing, then refuse what is not as designed; called once before anything else.

        Raises LogMisconfigured, LogUnreachable.
        """
        ...

    def append(self, topic: Topic, records: Sequence[Outgoing], *, bulk: bool = False) -> list[Future[Position]]:
        """Hand the records over; each future ends with its position once the record is durable.

        `bulk` trades latency for rate (a batch waits for company, and for what is not bulk). Records of one key stay in
        the order given, within one call and over calls of the same `bulk`; not beside one whose future failed.
        Raises LogUnreachable before anything is handed over, RecordTooLarge likewise (and ValueError for a header without a
        value). A future may fail with LogUnreachable: then the record's fate is open, and it may still be in the log.
        What is handed over stays in memory until it is durable, so a bulk caller waits for its futures now and then.
        """
        ...

    def reader(self, topic: Topic, start: Mapping[int, int]) -> Reader:
        """A reader of the partitions in `start`, each from the offset given. It connects when first polled."""
        ...

    def ends(self, topic: Topic) -> dict[int, int]:
        """For each partition the offset that the next record will get, at the time of asking. Raises LogUnreachable."""
        ...

    def close(self) -> None:
        """Wait for what was handed over (bounded), then let go of everything."""
        ...
