"""Examples of apps, their keys and connection for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from shared.models.documented import EXAMPLE_PLAYER_ID
from shared.secrets import MASK

APP: dict[str, Any] = {
    "name": "Demo shop",
    "oneSignal": {"appId": EXAMPLE_PLAYER_ID, "restApiKey": "os_v2_app_your_key", "plan": "free"},
    "keys": [
        {"id": "web", "kind": "write", "key": "wk_demo"},
        {"id": "hook", "kind": "webhook", "key": "wh_demo"},
    ],
    "origins": ["https://shop.example"],
}
STORED_APP: dict[str, Any] = {
    "id": "demo", "name": "Demo shop", "version": 3, "enabled": True, "state": "active",
    "stoppedBecause": None,
    "oneSignal": {"appId": EXAMPLE_PLAYER_ID, "restApiKey": MASK, "plan": "free", "enabled": True},
    "keys": [{"id": "web", "kind": "write", "key": MASK}, {"id": "hook", "kind": "webhook", "key": MASK}],
    "origins": ["https://shop.example"], "loginHash": {"required": True, "secret": MASK},
    "allowedLogins": [], "maskedParameters": ["token", "email"],
    "snippet": {
        "loadOneSignal": True, "workerPath": "/OneSignalSDKWorker.js", "webhookKey": "wh_demo",
        "sdkUrl": None, "loginToOneSignal": True, "requireConsent": False, "cookieDomain": None,
    },
    "controlGroup": 0.05, "cap": {"count": 3, "days": 7.0}, "timeZone": "Europe/Prague",
    "quietHours": {"from": "21:00", "to": "08:00"},
    "scenarios": {"gapMinutes": 60, "digestMinutes": 30},
}  # fmt: skip
APP_KEYS_EXAMPLE: list[dict[str, Any]] = [
    {"id": "web", "kind": "write", "inSnippet": False},
    {"id": "hook", "kind": "webhook", "inSnippet": True},
]
KEY_MADE: dict[str, Any] = {"id": "warehouse", "kind": "server", "key": "sk_…"}
KEY_ROTATED: dict[str, Any] = {
    "id": "web-2", "kind": "write", "key": "wk_…", "replaces": "web", "inSnippet": False,
}  # fmt: skip
CONNECTION: dict[str, Any] = {
    "result": "ok", "message": "OneSignal takes the key", "players": 1200,
    "messageablePlayers": 950,
    "warnings": [
        {"field": "loginHash.required", "code": "login_proof_optional",
         "message": "logins need no proof: whoever knows a login may be taken for that person in a"
         " browser"},
    ],
}  # fmt: skip
