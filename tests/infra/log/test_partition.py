"""Keys find the partition that every Kafka client would choose."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import DefaultPartitioner

from infra.log.partition import murmur2, partition_of

# Source: org.apache.kafka.common.utils.UtilsTest.testMurmur2, where the numbers are signed.
PUBLISHED = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "published"), PUBLISHED.items())
def test_murmur2_gives_the_published_numbers(key: bytes, published: int) -> None:
    assert murmur2(key) == published % (1 << 32)


@given(st.binary(max_size=80), st.integers(1, 64))
def test_the_partition_is_the_one_that_kafka_python_chooses(key: bytes, partitions: int) -> None:
    cluster = SimpleNamespace(
        topics=lambda: {"t"}, partitions_for_topic=lambda _: set(range(partitions)), available_partitions_for_topic=lambda _: set()
    )
    assert partition_of(key, partitions) == DefaultPartitioner().partition("t", key, key, b"", b"", cluster)
