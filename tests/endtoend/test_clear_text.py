"""What an outsider sees of the topics: keys, headers and JSON as the documents say, and nobody's name, number or address."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.endtoend.installation import Installation
from tests.endtoend.shop import ShopFile


def consumed(one: Installation, topic: str) -> list[dict[str, Any]]:
    """Every record of a topic as kcat prints it."""
    kcat = shutil.which("kcat") or shutil.which("kafkacat")
    if kcat is None:
        pytest.skip("kcat is not installed (Debian package kcat): nobody else than ourselves has read the topics")
    environment = one.environment
    command = [kcat, "-b", environment["CRM_KAFKA"], "-C", "-t", f"{environment['CRM_PREFIX']}.{topic}", "-e", "-q", "-J"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("topic", ["decisions", "facts"])
def test_kcat_reads_key_headers_and_value(filled_kafka: Installation, shop: ShopFile, topic: str) -> None:
    records = consumed(filled_kafka, topic)
    assert len(records) == (shop.events if topic == "facts" else len(shop.customers))
    for record in records:
        commit = json.loads(record["payload"])
        assert commit["format"] == 1
        assert commit["key"] == record["key"]
        assert all(event["stream"] and event["version"] and event["type"] for event in commit["events"])
        headers = dict(zip(record["headers"][::2], record["headers"][1::2], strict=True))
        assert headers["content-type"].startswith("application/")
        version, trace, span, flags = headers["traceparent"].split("-")
        assert (version, len(trace), len(span), len(flags)) == ("00", 32, 16, 2)


def test_no_record_holds_anybody_in_clear(filled_kafka: Installation, shop: ShopFile) -> None:
    records = {topic: consumed(filled_kafka, topic) for topic in ("decisions", "facts", "keys")}
    assert all(records.values())
    text = json.dumps(records, ensure_ascii=False).casefold()
    unescaped = text.encode().decode("unicode_escape", "ignore")
    found = [
        word
        for word in shop.personal_words()
        if word.casefold() in text or word.casefold() in unescaped or "".join(word.split()).lstrip("0").casefold() in text
    ]
    assert not found
    assert "thing no. 1" in text, "the search would find nothing at all"
