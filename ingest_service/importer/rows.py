"""One row of OneSignal's CSV export as an event. Pure.

Columns are found by name, whatever their order and case; those that aren't declared here are left
out, so that nothing personal (push tokens, addresses) gets onto the log by the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic_core import PydanticCustomError

from ingest_service.batch import MAX_EVENT_BYTES
from ingest_service.normalise import to_id, to_player_id
from ingest_service.statuses import SUBSCRIBED, Subscription, read_status
from shared.clock import as_utc
from shared.errors import Rejected
from shared.identity_values import is_placeholder
from shared.ids import derived_id
from shared.models.event import IMPORT, Event

NAMES = {
    "player": ("id", "player_id", "subscription_id", "onesignal_id"),
    "login": ("external_user_id", "external_id"),
    "timeZone": ("timezone_id",),
    "language": ("language",),
    "tags": ("tags",),
    "device": ("device_type",),
    "seen": ("last_active", "last_session", "created_at", "first_session"),
    "types": ("notification_types",),
    "invalid": ("invalid_identifier",),
}
BROWSERS = {"4": "Chrome", "5": "Chrome", "7": "Safari", "8": "Firefox", "12": "Edge",
            "17": "Safari", "18": "Safari"}  # fmt: skip
MAX_TAGS = 100
MAX_TEXT = 256
YES = frozenset({"t", "true", "1", "yes"})
Row = Mapping[str, str]


class NotWebPush(Rejected):
    """An app, an e-mail or a phone number: not for us, and no mistake either."""

    code = "not_web_push"


def column(name: str) -> str:
    """`"Device Type"` and `device_type` are one column."""
    return name.strip().lstrip("\ufeff").lower().replace(" ", "_")


def to_event(row: Row, app: str, now: datetime) -> Event:
    """Raises Rejected. The same row makes the same event; a browser's own later word wins."""
    try:
        player = to_player_id(_find(row, "player"))
        login = to_id(_find(row, "login"))[:MAX_TEXT]
    except PydanticCustomError as exc:
        raise Rejected(f"id: {exc.message()}", code=exc.type) from exc
    browser = _browser(_find(row, "device"))
    told, state = _status(row)
    data: dict[str, Any] = {"playerID": player, "status": told.status, "state": state}
    data["reason"] = told.reason if state != "invalid" else "invalid_identifier"
    data |= {} if is_placeholder(login) else {"login": login}
    tags = _tags(_find(row, "tags"))
    data |= {"tags": tags} if tags else {}
    context = {"timeZone": _find(row, "timeZone")[:64], "language": _find(row, "language")[:35]}
    seen = _find(row, "seen")
    data |= {} if seen else {"undated": True}  # whoever was erased isn't brought back by it
    event = Event(
        app=app,
        id=derived_id("import", app, *(f"{k}={row[k]}" for k in sorted(row))),
        type=IMPORT,
        source="import",
        visitor_id=f"os:{player}",
        player_id=player,
        occurred_at=min(now, _seen(seen, now)),
        received_at=now,
        context={k: v for k, v in {**context, "browser": browser}.items() if v} or None,
        data={k: v for k, v in data.items() if v is not None},
    )
    if len(event.dump()) > MAX_EVENT_BYTES:
        limit = f"{MAX_EVENT_BYTES // 1024} KiB"
        raise Rejected(f"the event is larger than {limit}", code="event_too_large")
    return event


def _find(row: Row, what: str) -> str:
    """The first of the columns that has something in it."""
    return next((row[n].strip() for n in NAMES[what] if row.get(n, "").strip()), "")


def _browser(device: str) -> str | None:
    """None where the export doesn't say. Raises NotWebPush."""
    if not device:
        return None
    if device in BROWSERS:
        return BROWSERS[device]
    for name in ("chrome", "firefox", "safari", "edge"):
        if name in device.lower():
            return name.title()
    raise NotWebPush(f"device type {device[:20]} is not web push")


def _status(row: Row) -> tuple[Subscription, str]:
    """(as the browser would say, the ledger's state)."""
    types = _find(row, "types")
    told = read_status(types) if types else SUBSCRIBED
    if told is None:
        raise Rejected("notification_types: must be a number", code="status")
    if told.state == "subscribed" and _find(row, "invalid").lower() in YES:
        return told, "invalid"
    return told, told.state


def _tags(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise Rejected("tags: must be JSON", code="tags") from exc
    if not isinstance(found, dict):
        raise Rejected("tags: must be a JSON object", code="tags")
    plain = {k: v for k, v in found.items() if isinstance(v, str | int | float | bool)}
    if any(isinstance(v, int) and not -(2**63) <= v < 2**63 for v in plain.values()):
        raise Rejected("tags: a whole number has more than 64 bits", code="tags")
    safe = {k.replace("\0", ""): v for k, v in plain.items() if k and not k.startswith("$")}
    return dict(list(safe.items())[:MAX_TAGS])


def _seen(text: str, now: datetime) -> datetime:
    """Unix seconds, ISO 8601, or `2026-01-31 12:00:00 UTC`."""
    if not text:
        return now
    try:
        if text.replace(".", "", 1).isdigit():
            return datetime.fromtimestamp(int(float(text)), UTC)
        return as_utc(datetime.fromisoformat(text.removesuffix(" UTC")))
    except (ValueError, OverflowError, OSError) as exc:
        raise Rejected("last_active: must be a date and time", code="datetime") from exc
