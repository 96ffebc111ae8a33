"""Which partition a key belongs to: Kafka's own rule, so that every client of the log, in any language, agrees."""

from __future__ import annotations

from struct import unpack_from

_MASK = 0xFFFFFFFF
_MULTIPLIER = 0x5BD1E995
_SEED = 0x9747B28C


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of `key` among `partitions`, as Kafka's default partitioner chooses it."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2, unsigned (Source: org.apache.kafka.common.utils.Utils.murmur2, where it is signed)."""
    length = len(data)
    words = length // 4
    h = _SEED ^ length
    for word in unpack_from(f"<{words}I", data):
        k = word * _MULTIPLIER & _MASK
        h = (h * _MULTIPLIER ^ (k ^ k >> 24) * _MULTIPLIER) & _MASK
    rest = data[words * 4 :]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * _MULTIPLIER & _MASK
    h = (h ^ h >> 13) * _MULTIPLIER & _MASK
    return h ^ h >> 15
