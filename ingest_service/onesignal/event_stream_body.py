"""Bodies of OneSignal's Event Streams, by the customer's own template (docs/onesignal.md D7). Pure.

Keys may be flat (`"event.kind"`), nested, or both. Every value may be quoted, and `""` is no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest_service.parsing.bounded_json import load_bounded, read_moment
from shared.errors import InvalidPayload
from shared.events.payloads import StreamPayload
from shared.ids import is_uuid
from shared.models.moments import of_digits

STREAM_KIND_PREFIX = "message.push."
EVENT_STREAM_KINDS = frozenset({"sent", "received", "clicked", "failed", "unsubscribed"})
WITH_MESSAGE = EVENT_STREAM_KINDS - {"unsubscribed"}  # useless without their push
TAG_PREFIX = "v1."
MAX_STREAM_TEXT = 256


@dataclass(frozen=True)
class StreamBody:
    """The fields of an Event Streams event, as received."""

    id: str | None
    kind: str
    message: str | None
    player: str | None
    tag: str | None
    reason: str | None
    occurred_at: datetime | None

    @property
    def unattributable_reason(self) -> str | None:
        """The reason why the event can never be counted, if any."""
        if self.kind not in EVENT_STREAM_KINDS:
            return "unknown_kind"
        if not is_uuid(self.player):
            return "no_player"
        if self.kind in WITH_MESSAGE and not is_uuid(self.message):
            return "no_message"
        return None

    def payload(self) -> StreamPayload:
        """Return the data of a `carillon.stream` event."""
        found = {
            "kind": self.kind,
            "notification_id": str(self.message).lower() if is_uuid(self.message) else None,
            "player_id": str(self.player).lower(),
            "tag": self.tag,
            "reason": self.reason,
        }
        return StreamPayload(**{key: value for key, value in found.items() if value is not None})


def read_stream(raw: bytes) -> StreamBody:
    """Read a body. Raises InvalidPayload."""
    body = load_bounded(raw)
    kind = _text(body, "event.kind")
    if kind is None:
        raise InvalidPayload("event.kind: is missing", code="missing")
    name = _text(body, "message.name")
    return StreamBody(
        id=_text(body, "event.id"),
        kind=kind.removeprefix(STREAM_KIND_PREFIX),
        message=_text(body, "message.id"),
        player=_text(body, "event.subscription_id") or _text(body, "user.subscription.id"),
        tag=name if name is not None and name.startswith(TAG_PREFIX) else None,
        reason=_text(body, "event.data.failure_reason"),
        occurred_at=_moment(_text(body, "event.timestamp"))
        or _moment(_text(body, "event.datetime")),
    )


def _text(body: Mapping[str, Any], path: str) -> str | None:
    value = _find(body, path)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip()[:MAX_STREAM_TEXT] or None


def _find(body: Any, path: str) -> Any:
    """Return the value of `a.b.c` in `{"a.b.c"}`, `{"a": {"b": {"c"}}}`, or a mix of both."""
    if not isinstance(body, dict):
        return None
    if body.get(path) not in (None, ""):  # a template's empty flat key hides no nested one
        return body[path]
    steps = path.split(".")
    for split in range(1, len(steps)):
        found = _find(body.get(".".join(steps[:split])), ".".join(steps[split:]))
        if found is not None:
            return found
    return None


def _moment(text: str | None) -> datetime | None:
    """Read Unix seconds or milliseconds, or ISO 8601; None if it is none of them."""
    if text is None:
        return None
    try:
        return of_digits(text)
    except ValueError:
        return read_moment(text)
