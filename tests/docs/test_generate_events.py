"""docs/events.md says what the code says."""

from __future__ import annotations

import dataclasses

from docs.generate_events import TARGET, document
from domain.event_types import EVENT_TYPES


def test_the_page_is_what_would_be_generated_now() -> None:
    assert TARGET.read_text("utf-8") == document(), "run `python -m docs.generate_events`"


def test_every_event_and_every_field_is_on_the_page() -> None:
    page = document()
    for event_type in EVENT_TYPES:
        section = page.partition(f"\n## {event_type.name}\n")[2].partition("\n## ")[0]
        assert f"Schema {event_type.schema}" in section
        for field in dataclasses.fields(event_type.cls):
            row = next(line for line in section.splitlines() if line.startswith(f"| `{field.name.rstrip('_')}` |"))
            assert (" yes |" in row) == bool(field.metadata.get("personal"))
