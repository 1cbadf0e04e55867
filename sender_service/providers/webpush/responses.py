"""Outcomes of a push service's answers (RFC 8030). Pure."""

from __future__ import annotations

from sender_service.providers.base import NotSent, Outcome, Refused, RetryAfter, Sent

GONE = frozenset({404, 410})  # the subscription is over


def classify(status: int, retry_after: str | None, key: str) -> Outcome:
    """Return the outcome; `key` names the message, as push services give it no id of ours."""
    if status == 201:
        return Sent(key, replayed=False)
    if status in GONE:
        return NotSent()
    if status == 429:
        return RetryAfter("rate_limited", _seconds(retry_after))
    if status >= 500:
        return RetryAfter("server_error", _seconds(retry_after))
    return Refused("call", f"webpush_{status}", f"the push service answered HTTP {status}")


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and value.isascii() and value.isdigit() else None
