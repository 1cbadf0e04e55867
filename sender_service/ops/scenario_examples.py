"""Examples of scenarios for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from sender_service.ops.examples import AT, EXAMPLE_PERSON_ID, PREVIEW, SEND_ID
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
LISTED_SCENARIO: dict[str, Any] = {
    **STORED_SCENARIO, "waiting": 42, "pushedToday": 17,
    "lastTrouble": {"at": AT, "send": SEND_ID, "step": "hour", "why": "campaign_disabled", "people": 3},
}  # fmt: skip
RUN_NAME = f"{EXAMPLE_PERSON_ID}.0c9d2a41b7e8"
RUN: dict[str, Any] = {
    "run": RUN_NAME, "person": EXAMPLE_PERSON_ID, "state": "waiting", "version": 2,
    "entered": {"at": AT, "event": SEND_ID, "items": ["tea-1"]},
    "step": "day", "due": AT, "ended": None,
    "pushes": [{"step": "hour", "send": SEND_ID, "at": AT, "items": ["tea-1"]}], "skipped": [],
}  # fmt: skip
FIRING: dict[str, Any] = {
    "id": SEND_ID, "step": "hour", "version": 2, "campaign": "basket-1", "state": "settled",
    "createdAt": AT, "dueAt": AT, "expiresAt": AT, "counts": {"sent": 17, "emptied": 2},
}  # fmt: skip
WHY_IN_SCENARIO: dict[str, Any] = {
    "items": [],
    "scenario": {
        "id": "abandoned-basket", "name": "Abandoned basket", "version": 2, "enabled": True,
        "runs": [RUN],
        "firings": [],
        "now": [{
            "run": RUN_NAME, "result": "wait", "step": "day", "at": AT,
            "sentence": f"The person waits for the step day until {AT}.",
            "checks": [
                {"rule": "until", "ok": True, "detail": "bought",
                 "sentence": "No exit has happened, of bought."},
                {"rule": "wait", "ok": False, "detail": f"due {AT}",
                 "sentence": f"The wait isn't over: due {AT}."},
            ],
        }],
    },
}  # fmt: skip
SCENARIO_PREVIEW: dict[str, Any] = {
    "app": "demo", "scenario": "abandoned-basket", "draft": False, "problems": [],
    "entries": {"looked": 120, "exact": True, "enter": 80, "refused": {"again": 30, "bought": 10}},
    "runs": {"looked": 40, "exact": True, "push": 3, "wait": 35, "skip": {"late": 1}, "end": {"bought": 1}},
    "steps": [{
        "step": "hour", "campaign": "basket-1", "people": 82, "skipped": {"only": 1},
        "preview": {**PREVIEW, "campaign": "basket-1"},
    }],
}  # fmt: skip
_ESTIMATE: dict[str, Any] = {"sample": 31, "estimate": 127, "low": 93, "high": 178}
_SIDE: dict[str, Any] = {
    "entered": _ESTIMATE, "pushes": _ESTIMATE, "people": _ESTIMATE,
    "hours": [{"at": AT, "sample": 31, "estimate": 127}], "pushesAPerson": {"1": 31},
    "skipped": {"late": 1}, "ended": {"bought": 12}, "refused": {"waiting": 4}, "otherPushes": 2,
}  # fmt: skip
BACKFILL: dict[str, Any] = {
    "n": 1, "scenario": "abandoned-basket", "version": 4, "state": "done", "since": AT, "until": AT,
    "spread": 60, "reached": AT, "knownSince": None, "moments": 5210, "entered": 310,
    "refused": {"over": 1200, "bought": 84}, "fault": None, "finishedAt": AT, "expiresAt": AT,
}  # fmt: skip
SIMULATION: dict[str, Any] = {
    "n": 3, "scenario": "abandoned-basket", "state": "done", "since": AT, "until": AT, "done": 420,
    "persons": 420, "fault": None, "finishedAt": AT, "expiresAt": AT,
    "base": {
        "share": 0.25, "persons": 420, "counted": 410, "leftOut": {"merged": 10}, "knownSince": AT,
        "today": ["language"], "unknown": ["caps"],
    },
    "draft": _SIDE, "present": None,
}  # fmt: skip
