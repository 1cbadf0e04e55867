"""Scenarios for tests: bodies as people write them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest

from sender_service.models.scenario.language import ScenarioRequest
from sender_service.models.scenario.scenario import Scenario
from shared.errors import InvalidPayload
from shared.models.strict import validate_strictly

STEP: dict[str, Any] = {"id": "hour", "campaign": "basket-1"}
BODY: dict[str, Any] = {
    "name": "Abandoned basket",
    "enabled": True,
    "priority": 60,
    "enter": {"on": "basket"},
    "if": {"basket": {"total": {"atLeast": 20}}},
    "steps": [
        {**STEP, "after": {"minutes": 60, "of": "silence"},
         "choose": {"from": "basket", "else": "without"}},
        {"id": "day", "after": {"minutes": 1440}, "campaign": "basket-2",
         "only": {"basket": {"total": {"atLeast": 50}}}},
    ],
    "until": ["bought", "emptied"],
    "again": {"days": 7, "from": "push"},
    "maxLate": 120,
}  # fmt: skip
SMALL: dict[str, Any] = {"name": "Small", "enter": {"on": "basket"}, "steps": [STEP]}


def with_value(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy of the body with this value at a path, as `steps.0.after`."""
    changed = copy.deepcopy(body)
    *outer, last = _steps_of(path)
    inner: Any = changed
    for step in outer:
        inner = inner[step] if isinstance(step, int) else inner.setdefault(step, {})
    inner[last] = value
    return changed


def _steps_of(path: str) -> Sequence[str | int]:
    return [int(step) if step.isdecimal() else step for step in path.split(".")]


def read_scenario(body: dict[str, Any]) -> Scenario:
    """Read a body as `PUT` does. Raises InvalidPayload."""
    return validate_strictly(ScenarioRequest, body, prefix="body.").to_scenario("demo", "basket", 1)


def build_scenario(**fields: Any) -> Scenario:
    """Return the small scenario with other fields in it."""
    return read_scenario({**SMALL, **fields})


def errors_of(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Return path and code of each error of a body that is refused."""
    with pytest.raises(InvalidPayload) as caught:
        read_scenario(body)
    assert all(error.message for error in caught.value.errors)
    return [(error.field, error.code) for error in caught.value.errors]
