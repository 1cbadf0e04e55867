"""Rules for a notification's content; pure."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from deploy.local.sandbox.errors import NO_ENGLISH, refuse
from deploy.local.sandbox.models import Json, Message

DATA_MAX_BYTES = 2_048
NAME_MAX = 128
TOPIC_MAX = 64
BUTTONS_MAX = 2
TTL_DEFAULT_SECONDS = 259_200
TTL_MAX_SECONDS = 2_419_200
SEND_AFTER_MAX_SECONDS = 30 * 86_400
URL_FIELDS = (
    "url",
    "web_url",
    "chrome_web_icon",
    "firefox_icon",
    "chrome_web_badge",
    "chrome_web_image",
    "global_image",
)
UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)


def is_uuid(value: object) -> bool:
    return isinstance(value, str) and UUID_FORM.match(value) is not None


def read_key(body: Json) -> str | None:
    """Return the idempotency key, under its present or its old name."""
    for name in ("idempotency_key", "external_id"):
        value = body.get(name)
        if value is None:
            continue
        if not is_uuid(value):
            raise refuse(400, f"{name} must be a valid UUID")
        return str(UUID(value))
    return None


def check_message(body: Json) -> Message:
    contents = _texts(body, "contents")
    if not contents.get("en"):
        raise refuse(400, NO_ENGLISH)
    headings = _texts(body, "headings")
    _check_urls(body)
    return Message(
        contents=contents,
        headings=headings,
        ttl=_ttl(body),
        url=body.get("url") or body.get("web_url"),
        icon=body.get("chrome_web_icon") or body.get("firefox_icon"),
        image=body.get("chrome_web_image") or body.get("global_image"),
        badge=body.get("chrome_web_badge"),
        buttons=_buttons(body),
        data=_data(body),
        name=_text_up_to(body, "name", NAME_MAX),
        topic=_text_up_to(body, "web_push_topic", TOPIC_MAX),
    )


def read_send_at(body: Json, now: float) -> float:
    """Return when it goes out. OneSignal reads a time without an offset as UTC."""
    value = body.get("send_after")
    if value is None:
        return now
    try:
        at = _to_datetime(str(value))
    except (ValueError, OverflowError):
        raise refuse(400, "send_after must be a valid ISO 8601 date and time") from None
    if at > now + SEND_AFTER_MAX_SECONDS:
        raise refuse(400, "send_after must be within 30 days from now")
    return max(at, now)


def _to_datetime(text: str) -> float:
    legacy = re.sub(r" (?:GMT|UTC)(?=[+-])", "", text).replace(" GMT", "+00:00")
    moment = datetime.fromisoformat(legacy)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def _texts(body: Json, name: str) -> dict[str, str]:
    value = body.get(name)
    if value is None:
        return {}
    is_map = isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    if not is_map:
        raise refuse(400, f"{name.capitalize()} must be an object of language codes and texts")
    return dict(value)


def _text_up_to(body: Json, name: str, most: int) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > most:
        raise refuse(400, f"{name} must be a string of at most {most} characters")
    return value


def _check_urls(body: Json) -> None:
    for name in URL_FIELDS:
        value = body.get(name)
        if value not in (None, "") and not _is_url(value):
            raise refuse(400, f"{name} must be a valid URL")
    if body.get("url") and (body.get("web_url") or body.get("app_url")):
        raise refuse(400, "url may not be used together with web_url or app_url")


def _is_url(value: object) -> bool:
    if not isinstance(value, str) or any(sign.isspace() for sign in value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _buttons(body: Json) -> list[Json]:
    value = body.get("web_buttons")
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(button, dict) for button in value):
        raise refuse(400, "web_buttons must be a list of objects")
    if len(value) > BUTTONS_MAX:
        raise refuse(400, f"web_buttons may contain at most {BUTTONS_MAX} buttons")
    return [_button(button) for button in value]


def _button(button: Json) -> Json:
    for name in ("id", "text"):
        if not isinstance(button.get(name), str) or not button[name]:
            raise refuse(400, f"web_buttons must each have a text '{name}'")
    for name in ("icon", "url"):
        if button.get(name) and not _is_url(button[name]):
            raise refuse(400, f"web_buttons {name} must be a valid URL")
    return {name: button[name] for name in ("id", "text", "icon", "url") if button.get(name)}


def _data(body: Json) -> Json | None:
    value: Any = body.get("data")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise refuse(400, "Data must be an object")
    if len(orjson.dumps(value)) > DATA_MAX_BYTES:
        raise refuse(400, f"Data must be no more than {DATA_MAX_BYTES} bytes long")
    return value


def _ttl(body: Json) -> int:
    value = body.get("ttl")
    if value is None:
        return TTL_DEFAULT_SECONDS
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= TTL_MAX_SECONDS:
        raise refuse(400, f"ttl must be a number of seconds from 0 to {TTL_MAX_SECONDS}")
    return int(value)
