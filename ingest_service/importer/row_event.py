"""Rows of OneSignal's CSV export as events. Pure.

Columns are found by name, whatever their order and case. Undeclared ones are left out, so that no other
personal data (push tokens, addresses) gets onto the log. A column that can't be read is left out, except
the player's id and its state.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from pydantic_core import PydanticCustomError

from ingest_service.collect.batch import MAX_EVENT_BYTES
from ingest_service.importer.columns import Row, find, texts, unquote, whole
from ingest_service.importer.states import read_state
from shared.clock import as_utc
from shared.errors import Rejected
from shared.events.payloads import ImportPayload
from shared.events.registry import IMPORT
from shared.identity_values import is_placeholder
from shared.ids import derived_id
from shared.locales import known_language, known_time_zone
from shared.models.event import Event
from shared.models.moments import of_digits
from shared.names import MAX_LOGIN, to_id, to_player_id

BROWSERS = {"4": "Chrome", "5": "Chrome", "7": "Safari", "8": "Firefox", "12": "Edge",
            "17": "Safari", "18": "Safari"}  # fmt: skip
MAX_TAGS = 100


class NotWebPush(Rejected):
    """A row of an app, an e-mail or a phone number, which is skipped without an error."""

    code = "not_web_push"


@dataclass
class Imported:
    """A row's event, and the columns left out. `is_stated`: the row has a subscription state."""

    event: Event
    is_stated: bool
    left_out: list[str] = field(default_factory=list)


def to_event(row: Row, app: str, now: datetime) -> Event:
    """Return a row's event only. Raises Rejected."""
    return read_row(row, app, now).event


def read_row(row: Row, app: str, now: datetime, allowed: Collection[str] = ()) -> Imported:
    """Read a row. The same row makes the same event; a browser's own later status wins.

    `allowed` are real logins that look like placeholders. Raises Rejected.
    """
    try:
        player = to_player_id(to_id(find(row, "player")))
    except PydanticCustomError as exc:
        raise Rejected(f"id: {exc.message()}", code=exc.type) from exc
    browser = _browser(find(row, "device"))
    state = read_state(row)
    left_out: list[str] = []
    given: dict[str, Any] = {
        "reason": state.reason,
        "login": _read(_login, row, "login", left_out, allowed),
        "tags": _read(_tags, row, "tags", left_out),
    }
    context = {
        "timeZone": _time_zone(row, left_out),
        "language": _read(_language, row, "language", left_out),
        "browser": browser,
    }
    seen = _read(_seen, row, "seen", left_out)
    given |= {} if seen else {"undated": True}  # it brings no erased person back
    payload = ImportPayload(
        player_id=player, status=state.status.status, state=state.state,
        **{name: value for name, value in given.items() if value},
    )  # fmt: skip
    event = Event(
        app=app,
        id=derived_id("import", app, *(f"{k}={row[k]}" for k in sorted(row))),
        type=IMPORT,
        source="import",
        visitor_id=f"os:{player}",
        player_id=player,
        occurred_at=min(now, seen or now),
        received_at=now,
        context={k: v for k, v in context.items() if v} or None,
        data=payload.data(),
    )
    if len(event.dump()) > MAX_EVENT_BYTES:
        limit = f"{MAX_EVENT_BYTES // 1024} KiB"
        raise Rejected(f"the event is larger than {limit}", code="event_too_large")
    return Imported(event, state.is_stated, left_out)


def _read(
    read: Callable[[str], Any], row: Row, what: str, left_out: list[str],
    allowed: Collection[str] = (),
) -> Any:  # fmt: skip
    """Return the column's value; if it can't be read None, with a sentence in `left_out`."""
    text = find(row, what, allowed)
    if not text:
        return None
    try:
        found = read(text)
    except (Rejected, PydanticCustomError) as exc:
        message = exc.message() if isinstance(exc, PydanticCustomError) else exc.message
        left_out.append(f"{what}: {message}")
        return None
    return None if what == "login" and is_placeholder(found, allowed) else found


def _login(text: str) -> str:
    login = to_id(whole(text))
    if len(login) > MAX_LOGIN:
        raise Rejected(f"has more than {MAX_LOGIN} characters")
    return login


def _language(text: str) -> str:
    found = known_language(to_id(text)[:36])
    if found is None or len(found) > 35:
        raise Rejected("is no language")
    return found


def _time_zone(row: Row, left_out: list[str]) -> str | None:
    """Return the time zone by its name, if any."""
    for text in texts(row, "timeZone"):
        zone = known_time_zone(unquote(text)[:65])
        if zone is not None:
            return zone
        # Old exports have seconds from UTC in `timezone`, which determine no zone.
        if not text.lstrip("+-").replace(".", "", 1).isdigit():
            left_out.append("timeZone: is no time zone")
    return None


def _browser(device: str) -> str | None:
    """Return the browser's name, None if the export lacks it. Raises NotWebPush."""
    kind = whole(unquote(device))
    if not kind:
        return None
    if kind in BROWSERS:
        return BROWSERS[kind]
    words = kind.lower()
    for name in ("chrome", "firefox", "safari", "edge"):
        if name in words:
            return name.title()
    if "web" in words:
        return None
    raise NotWebPush(f"device type {kind[:20]} is not web push")


def _tags(text: str) -> dict[str, Any]:
    """Read the tags; nested values and numbers too large to store are left out. Raises Rejected."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise Rejected("must be JSON") from exc
    if not isinstance(found, dict):
        raise Rejected("must be a JSON object")
    safe = {k.replace("\0", ""): v for k, v in found.items() if k and not k.startswith("$")}
    return dict([(k, v) for k, v in safe.items() if _is_plain(v)][:MAX_TAGS])


def _is_plain(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return -(2**63) <= value < 2**63
    return isinstance(value, str | float | bool)


def _seen(text: str) -> datetime:
    """Read Unix seconds or milliseconds, ISO 8601, 20260131, or `2026-01-31 12:00:00 UTC`.

    Raises Rejected.
    """
    try:
        if text.isascii() and text.replace(".", "", 1).isdecimal():
            seen = of_digits(text)
            if seen is None:
                raise ValueError("a number of no moment")
            return seen.replace(microsecond=0)
        return as_utc(datetime.fromisoformat(unquote(text).removesuffix("UTC").strip()))
    except (ValueError, OverflowError, OSError) as exc:
        raise Rejected("must be a date and time") from exc
