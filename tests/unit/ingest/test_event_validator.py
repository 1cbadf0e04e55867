"""Tests that what the validator writes by hand is what the wire model would have written."""

from __future__ import annotations

from typing import Any

import pytest

from shared.models.event import Event
from shared.models.wire import load_json
from tests.unit.ingest.validation import NOW, validate_event

PLAYER = "6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d10"


@pytest.mark.parametrize("crawler", [False, True])
@pytest.mark.parametrize(
    "raw",
    [
        {"type": "logout", "visitorId": "v"},
        {"type": "pageview", "visitorId": "v", "page": {}, "context": {"more": 1}, "data": None},
        {
            "id": PLAYER.upper(),
            "type": "oneSignal",
            "visitorId": "v",
            "occurredAt": "2026-11-22T13:00:00.5+02:00",
            "page": {"url": "https://shop.example.test/é", "title": None},
            "context": {"language": "cs", "browser": "chrome"},
            "data": {"playerID": PLAYER, "status": "-2"},
        },
        {"type": "my.own", "visitorId": "v", "data": {"a": [1, {"b": "ř"}], "n": 0.1}},
    ],
)
def test_bytes_are_the_wire_models(raw: dict[str, Any], crawler: bool) -> None:
    accepted = validate_event(raw, crawler=crawler)
    event = Event.parse(accepted.value)
    assert Event.parse(event.dump()) == event
    assert load_json(event.dump()).keys() == load_json(accepted.value).keys()
    assert (event.id, event.type, event.key) == accepted[:3]
    assert (event.received_at, event.app) == (NOW, "demo")
    assert (event.context or {}).get("crawler", False) == crawler


def test_time_is_in_utc() -> None:
    raw = {"type": "x", "visitorId": "v", "occurredAt": "2026-11-22T13:00:00.500999+02:00"}
    assert load_json(validate_event(raw).value)["occurredAt"] == "2026-11-22T11:00:00.500000Z"
