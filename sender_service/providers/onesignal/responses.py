"""Classify answers of `POST /notifications` (docs/onesignal.md A5). Pure.

The status and `id` decide, never texts, except the old host's message about a bad key.
The answer for a disabled app isn't documented: we (and the sandbox) expect a 403, as for a refused
key. If it were another 4xx, ten refused calls would stop each send.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sender_service.providers.base import NotSent, Outcome, Refused, RetryAfter, Sent
from shared.ids import is_uuid
from shared.models.wire import is_deep

LONGEST_RETRY_AFTER = 3_600.0


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Return the outcome of an answer; `headers` by lower-case names."""
    if status == 429:
        return RetryAfter("rate_limited", _seconds(headers.get("retry-after")))
    if status >= 500 or status == 408:
        return RetryAfter("server_error", _seconds(headers.get("retry-after")))
    answer = read_answer(body)
    if 200 <= status < 300:
        return _accepted(answer, headers)
    messages = error_messages(answer)
    text = messages[0] if messages else f"HTTP {status}"
    if status in (401, 403) or _about_key(status, text):
        return Refused("app", f"onesignal_{status}", text)
    return Refused("call", f"onesignal_{status}", text)


def _accepted(answer: Any, headers: Mapping[str, str]) -> Outcome:
    if not isinstance(answer, dict) or "id" not in answer:
        return RetryAfter("unclear")  # an empty or foreign body: repeat under the same key
    notification = answer["id"]
    if not notification:
        return NotSent()
    replayed = headers.get("idempotent-replayed", "").lower() == "true"
    return Sent(str(notification), replayed, _invalid_players(answer.get("errors")))


def _invalid_players(errors: Any) -> frozenset[str]:
    if not isinstance(errors, dict):
        return frozenset()
    listed = errors.get("invalid_player_ids")
    ids = listed if isinstance(listed, list) else []
    return frozenset(i.lower() for i in ids if isinstance(i, str) and is_uuid(i))


def error_messages(answer: Any) -> list[str]:
    """Return the messages of `errors` (text, list of texts or objects, or map), or of `error`."""
    if not isinstance(answer, dict):
        return []
    errors = answer.get("errors", answer.get("error"))
    if isinstance(errors, str):
        return [errors]
    if isinstance(errors, list):
        return [_message(e) for e in errors]
    if isinstance(errors, dict):
        return [f"{key}: {value}" for key, value in errors.items()]
    return []


def _message(error: Any) -> str:
    if isinstance(error, dict):
        return str(error.get("title") or error.get("code") or "error")
    return str(error)


def _about_key(status: int, text: str) -> bool:
    """Check whether the answer is the old host's 400 for a bad key."""
    return status == 400 and "authorization" in text.lower()


def read_answer(body: bytes) -> Any:
    """Return the decoded answer; None when it isn't JSON or is nested too deep."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return None if is_deep(answer) else answer


def read_count(body: bytes) -> int | None:
    """Return the app's count of reachable players; None when the answer has none."""
    fields = read_answer(body)
    count = fields.get("messageable_players") if isinstance(fields, dict) else None
    return count if type(count) is int else None


def _seconds(value: str | None) -> float | None:
    """Return `Retry-After` in seconds; None when it is absent, a date or malformed."""
    try:
        seconds = float(value) if value is not None else -1.0
    except ValueError:
        return None
    return min(seconds, LONGEST_RETRY_AFTER) if 0 <= seconds < float("inf") else None
