"""Examples of scenarios for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from sender_service.ops.examples import AT
from sender_service.ops.scenario_templates import load_templates

SCENARIO_TEMPLATE: dict[str, Any] = load_templates()[0].model_dump(mode="json", by_alias=True)
SCENARIO: dict[str, Any] = {
    "name": "Abandoned basket",
    "enabled": True,
    "enter": {"on": "basket"},
    "if": {"basket": {"total": {"atLeast": 20}}},
    "steps": [
        {"id": "hour", "after": {"minutes": 60, "of": "silence"}, "campaign": "basket-1",
         "choose": {"from": "basket", "else": "without"}},
        {"id": "day", "after": {"minutes": 1440}, "campaign": "basket-2"},
    ],
    "until": ["bought", "emptied"],
}  # fmt: skip
SCENARIO_VERSION: dict[str, Any] = {
    "id": "abandoned-basket", "app": "demo", "version": 2, "name": "Abandoned basket",
    "enabled": True, "priority": 50, "enter": {"on": "basket"},
    "if": {"basket": {"total": {"atLeast": 20.0}}},
    "steps": [
        {"id": "hour", "campaign": "basket-1", "after": {"minutes": 60, "of": "silence"},
         "choose": {"from": "basket", "take": 1, "else": "without"}},
        {"id": "day", "campaign": "basket-2", "after": {"minutes": 1440, "of": "previous"}},
    ],
    "until": ["bought", "emptied"], "again": {"days": 7, "from": "push"}, "maxLate": 120, "spread": 0,
}  # fmt: skip
STORED_SCENARIO: dict[str, Any] = {**SCENARIO_VERSION, "off": [{"from": None, "to": AT}]}
