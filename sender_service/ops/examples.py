"""Examples for the OpenAPI document: request and response bodies."""

from __future__ import annotations

from typing import Any

from sender_service.ops.responses.problems import Problem
from shared.models.documented import EXAMPLE_PLAYER_ID

SEND_ID = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"
DEAD_LETTER_ID = "4a1e4d1c-6a51-5a4f-9a45-0b1f3c2d4e5f"
TOKEN_ID = "9f1d6c1e-0c5f-4a52-8f53-3a7a4f4f1a10"
EXAMPLE_PERSON_ID = "5f0c1d9b6a3e4f7d8c2b1a0e9d8c7b6a"
AT = "2026-11-22T16:00:00.000Z"

CAMPAIGN: dict[str, Any] = {
    "name": "Welcome back",
    "variants": [
        {
            "id": "a",
            "headings": {"en": "Hello {{ name }}", "cs": "Ahoj {{ name }}"},
            "contents": {"en": "Your basket is waiting"},
            "url": "https://shop.example/basket",
        }
    ],
    "policy": {"browsers": "last_active", "holdout": 0.1, "ttlSeconds": 3600},
}
STORED_CAMPAIGN: dict[str, Any] = {
    "id": "welcome", "app": "demo", "version": 2, "name": "Welcome back",
    "location": "PushNotificationLocation", "enabled": True,
    "variants": [
        {
            "id": "a", "weight": 1.0,
            "headings": {"en": "Hello {{ name }}", "cs": "Ahoj {{ name }}"},
            "contents": {"en": "Your basket is waiting"}, "url": "https://shop.example/basket",
            "icon": None, "image": None, "buttons": [], "data": {},
        }
    ],
    "policy": {
        "browsers": "last_active", "holdout": 0.1, "cap": None, "ttlSeconds": 3600,
        "quietHours": {"from": "22:00", "to": "07:00"}, "notIfBoughtSince": None,
    },
}  # fmt: skip
_CELL = {
    "sent": 90, "measurable": 60, "impressions": 54, "clicks": 6, "closes": 12,
    "impressionRate": 0.9, "clickRate": 0.1,
}  # fmt: skip
REPORT: dict[str, Any] = {
    "app": "demo", "campaign": "welcome", "location": "PushNotificationLocation", "sends": 3,
    "audience": 100, "sent": 90, "pending": 0, "suppressed": {"unsubscribed": 8, "capped": 1},
    "failed": {"invalid_player": 1}, "impressions": 54, "clicks": 6, "closes": 12,
    "people": {"sent": 80, "pending": 0, "failed": 1, "suppressed": 7, "no_player": 4},
    "notApplicable": {},
    "measurable": 60, "impressionRate": 0.9, "clickRate": 0.1,
    "variants": [{"variant": "a", **_CELL}], "browsers": [{"browser": "Chrome", **_CELL}],
    "breakdownPending": 0,
}  # fmt: skip
APP_REPORT: dict[str, Any] = {
    "items": [REPORT], "locations": [{"location": "PushNotificationLocation", **_CELL}],
}  # fmt: skip
SEND: dict[str, Any] = {
    "id": SEND_ID, "app": "demo", "campaign": "welcome", "priority": "marketing",
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "state": "sending", "error": None, "warnings": [], "createdAt": AT, "dueAt": AT,
    "expiresAt": "2026-11-23T16:00:00.000Z", "closedAt": None, "parts": None, "limitedSince": None,
    "waiting": [{"code": "message_limit", "message": "held: message limit", "until": AT}],
    "forecast": {"seconds": 4}, "audience": 100, "sent": 60, "pending": 30,
    "suppressed": {"unsubscribed": 8, "capped": 1}, "failed": {"invalid_player": 1},
    "notApplicable": {},
    "people": {
        "sent": 55, "pending": 27, "failed": 1, "suppressed": 7, "no_player": 4, "malformed": 1,
    },
    "malformed": [{"index": 17, "code": "id_type", "message": "must be a string or a whole number"}],
    "impressions": 31, "clicks": 2, "closes": 9,
}  # fmt: skip
SEND_HEAD: dict[str, Any] = {
    "id": SEND_ID, "app": "demo", "campaign": "welcome", "priority": "marketing", "state": "done",
    "error": None, "createdAt": AT, "dueAt": AT, "expiresAt": "2026-11-23T16:00:00.000Z",
    "closedAt": AT, "audience": 100, "sent": 91,
}  # fmt: skip
PREVIEW: dict[str, Any] = {
    "app": "demo", "campaign": "welcome", "exact": True, "planned": {"people": 94, "share": 1.0},
    "audience": 100, "wouldReceive": {"people": 82, "players": 91}, "suppressed": {"unsubscribed": 8},
    "failed": {"bad_variables": 1},
    "people": {"failed": 1, "suppressed": 7, "no_player": 4, "malformed": 0},
    "malformed": [], "refusal": None, "warnings": [],
    "samples": [
        {
            "player": EXAMPLE_PLAYER_ID, "language": "cs", "variant": "a", "heading": "Ahoj Jana",
            "content": "Your basket is waiting", "url": "https://shop.example/basket",
            "icon": None, "image": None, "buttons": [],
        }
    ],
    "quietHours": None,
    "forecast": {
        "calls": 2, "messages": 91, "requestSeconds": 1, "seconds": 1,
        "window": {"allowance": 7600, "left": 7600, "disableLimit": 10000, "mustWait": False,
                   "disableLimitShare": 0.009, "near": False},
    },
}  # fmt: skip
PERSON_FOUND: dict[str, Any] = {
    "id": EXAMPLE_PERSON_ID, "app": "demo", "login": "jana@shop.example", "email": None,
    "visitors": ["v-1"], "aliases": [], "lastSeenAt": AT, "timeZone": "Europe/Prague",
    "players": [{"id": EXAMPLE_PLAYER_ID, "state": "subscribed", "browser": "Chrome", "proven": True,
                 "lastSeenAt": AT}],
    "language": "cs", "browser": "Chrome",
}  # fmt: skip
WHY: dict[str, Any] = {
    "items": [
        {
            "send": SEND_ID, "campaign": "welcome", "variant": None, "player": EXAMPLE_PLAYER_ID,
            "outcome": "suppressed", "reason": "capped", "detail": None, "at": AT, "notificationId": None,
        }
    ],
    "sendsSearched": 12,
}  # fmt: skip
ERASURE: dict[str, Any] = {"person": EXAMPLE_PERSON_ID, "events": [SEND_ID], "count": 1}
UNDONE_MERGE: dict[str, Any] = {"person": EXAMPLE_PERSON_ID, "event": SEND_ID}
DEAD_LETTER_EXAMPLE: dict[str, Any] = {
    "id": DEAD_LETTER_ID, "v": 1, "app": "demo", "stage": "intake", "topic": "carillon.triggers",
    "partition": 0, "offset": 7, "type": "trigger", "truncated": False, "code": "unknown_app",
    "message": "no such app", "at": AT, "replays": 1, "replayedAt": AT, "replayedBy": "bootstrap",
}  # fmt: skip
DEAD_LETTER_CONTENT: dict[str, Any] = {
    **DEAD_LETTER_EXAMPLE, "key": "demo", "value": {"app": "demo", "campaign": "welcome"},
}  # fmt: skip
REPLAYED: dict[str, Any] = {"id": DEAD_LETTER_ID, "topic": "carillon.triggers", "replayed": True}
TOKEN: dict[str, Any] = {
    "id": TOKEN_ID, "name": "campaign job", "role": "operate",
    "apps": ["demo"], "createdAt": AT, "createdBy": "bootstrap", "expiresAt": None, "lastUsedAt": None,
}  # fmt: skip
NEW_TOKEN: dict[str, Any] = {**TOKEN, "token": "cot_…"}
AUDIT_ENTRY: dict[str, Any] = {
    "id": "c0f5d1a2-7a3b-4b5e-8d0a-2f6c9e1b7a44", "at": AT, "app": "demo", "method": "POST",
    "route": "/v1/sends/{send}/pause", "target": {"send": SEND_ID}, "status": 200,
    "who": {"id": TOKEN_ID, "name": "campaign job", "role": "operate"},
}  # fmt: skip


def answers(example: object, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route, with an example of its success."""
    return {status: {"content": {"application/json": {"example": example}}}}


def _problem(description: str, code: str, message: str, field: str | None = None) -> dict[str, Any]:
    errors = [{"field": field, "code": "missing", "message": "Field required"}] if field else []
    example = {"code": code, "message": message, "errors": errors}
    content = {"application/json": {"example": example}}
    return {"model": Problem, "description": description, "content": content}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: _problem("No, or an unknown, token", "unauthorized", "a valid bearer token is required"),
    403: _problem(
        "The token's role is too low, or it is for other apps",
        "role_too_low",
        "this needs the role admin",
    ),
    413: _problem("Too large", "too_large", "a body has at most 1 MiB"),
    429: _problem("Too many wrong tokens", "too_many_guesses", "too many tokens were none"),
    404: _problem("There is none", "unknown_send", "no such send"),
    422: _problem("Malformed", "invalid", "body.name: Field required", "body.name"),
    503: _problem("Try again soon", "mongo_unavailable", "MongoDB: ServerSelectionTimeoutError"),
}
