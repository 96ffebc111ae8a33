# ruff: noqa: E501 - a map is one line of TOML
"""The language on real files of other kinds: calls with clocks beside a date, tickets with `?` for missing and ids of three columns."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from tests.consumers.importing.outcome import call

ROWS = 30_000

CALLS = """
source = "bank-desk"
[file]
zone = "Asia/Jerusalem"
dates = ["%y%m%d %H:%M:%S"]
[customer]
external_id = { column = "customer_id", missing = ["0"] }
[[skip]]
when = { column = "outcome", is = "PHANTOM" }
reason = "the publisher says that PHANTOM is no call"
[[reject]]
when = { column = "vru_time", below = 0 }
reason = "it leaves the voice menu before it enters it"
[[event]]
type = "call.ended"
subject = { template = "{vru+line}-{call_id}" }
data.began_at = { template = "{date} {vru_entry}" }
data.outcome = { column = "outcome", map = { "AGENT" = "answered", "HANG" = "abandoned" } }
data.queue_seconds = { column = "q_time" }
data.talk_seconds = { column = "ser_time" }
data.agent = { column = "server", missing = ["NO_SERVER"] }
data.direction = { value = "inbound" }
[event.time]
join = [
  { column = "date" },
  { first_of = [ { column = "ser_exit", missing = ["0:00:00"] }, { column = "q_exit", missing = ["0:00:00"] }, { column = "vru_exit" } ] },
]
not_before = { template = "{date} {vru_entry}" }
"""

TICKETS = """
source = "incidents"
[file]
missing = ["?"]
zone = "America/Sao_Paulo"
dates = ["%d/%m/%Y %H:%M"]
[customer]
external_id = { column = "caller_id" }
[[event]]
type = "ticket.reported"
subject = { column = "number" }
id = { template = "{sys_mod_count}-{sys_updated_at}-{incident_state}" }
time = { column = "sys_updated_at" }
data.ticket = { column = "number" }
data.sequence = { column = "sys_mod_count" }
data.reopened = { column = "reopen_count", replace = [["[1-9][0-9]*", "true"]] }
data.priority = { column = "priority", replace = [["^([0-9]) - .*$", "\\\\1"]] }
data.group = { column = "assignment_group" }
data.assignee = { column = "assigned_to" }
[event.data.state]
column = "incident_state"
map = { "New" = "new", "Active" = "open", "Awaiting User Info" = "waiting", "Awaiting Vendor" = "waiting", "Awaiting Problem" = "waiting", "Awaiting Evidence" = "waiting", "Resolved" = "resolved", "Closed" = "closed", "-100" = "" }
"""


@pytest.mark.data
def test_a_months_calls_of_a_bank(tmp_path: Path, shared_data: Path) -> None:
    (tmp_path / "calls.toml").write_text(CALLS)
    file = shared_data / "calls_anonymous_bank" / "calls_1999_02.tsv.gz"
    result = call(tmp_path, [file], tmp_path / "calls.toml", recordable=["call.ended"])
    assert result.error == ""
    assert result.said["skipped"] == 278
    assert Counter(row["reason"] for row in result.rejected) == {"it leaves the voice menu before it enters it": 23}
    assert result.counts == (33_066, 33_043, 0, 23)
    assert Counter(data["outcome"] for data in result.data)["answered"] > 27_000
    assert sum("customer" not in data for data in result.data) > 19_000
    assert any(fact.data["began_at"][11:13] == "21" and fact.time.hour == 22 for fact in result.facts), "midnight in Jerusalem is 22:00 UTC"
    assert all(fact.time >= datetime.fromisoformat(fact.data["began_at"]) for fact in result.facts)


@pytest.mark.data
def test_the_first_months_of_a_log_of_tickets(tmp_path: Path, shared_data: Path) -> None:
    with gzip.open(shared_data / "tickets_incident_log" / "incident_event_log.csv.gz", "rt", encoding="utf-8", newline="") as file:
        head = list(islice(file, ROWS + 1))
    (tmp_path / "head.csv").write_text("".join(head), "utf-8")
    (tmp_path / "tickets.toml").write_text(TICKETS)
    result = call(tmp_path, [tmp_path / "head.csv"], tmp_path / "tickets.toml", recordable=["ticket.reported"])
    rows = list(csv.DictReader(head))
    assert (result.error, result.counts) == ("", (ROWS, ROWS, 0, 0))
    waiting = [data for data in result.data if data.get("state") == "waiting"]
    assert len(waiting) == sum(row["incident_state"].startswith("Awaiting") for row in rows) > 1_000
    assert sum("state" not in data for data in result.data) == sum(row["incident_state"] == "-100" for row in rows)
    assert sum("customer" in data for data in result.data) == sum(row["caller_id"] != "?" for row in rows)
    assert sum("assignee" in data for data in result.data) == sum(row["assigned_to"] != "?" for row in rows) < ROWS
    assert sum(data["reopened"] for data in result.data) == sum(row["reopen_count"] != "0" for row in rows) > 0
    assert min(fact.time for fact in result.facts) == datetime(2016, 2, 29, 4, 23, tzinfo=UTC)
    assert {data["priority"] for data in result.data} == {"1", "2", "3", "4"}
