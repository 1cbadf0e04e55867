"""Texts of OneSignal's refusals, word for word where the words are known."""

from collections.abc import Mapping
from typing import Any

INVALID_KEY = (
    "Access denied.  Please include an 'Authorization: ...' header with a valid API key "
    "(https://documentation.onesignal.com/docs/en/keys-and-ids#api-keys)."
)
INVALID_KEY_LEGACY = (
    "Please include a case-sensitive header of Authorization: Basic <YOUR-REST-API-KEY-HERE> "
    "with a valid REST API key."
)
APP_NOT_FOUND = "app_id not found. You may be missing a Content-Type: application/json header."
APP_DISABLED = (
    "This app has been disabled: it sent more messages than its subscriptions allow. "
    "An administrator has to enable it again."
)
NO_ENGLISH = "Message Notifications must have English language content"
NO_TARGET = (
    "You must include which players, segments, or tags you wish to send this notification to."
)
NOT_SUBSCRIBED = "All included players are not subscribed"
RATE_LIMITED = "API rate limit exceeded"
UNAVAILABLE = "Service temporarily unavailable"
NOTIFICATION_NOT_FOUND = "Notification not found"
ALREADY_SENT = "Notification has already been sent to all recipients"


class Refusal(Exception):
    """Answer other than the requested one; `body` goes out as JSON."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def refuse(status: int, *errors: str) -> Refusal:
    return Refusal(status, {"errors": list(errors)})


def rate_limited(retry_after: int) -> Refusal:
    return Refusal(429, {"errors": [RATE_LIMITED]}, {"Retry-After": str(retry_after)})


def unreadable_json(reason: str) -> Refusal:
    text = f"There was a problem in the JSON you submitted: {reason}"
    return Refusal(400, {"status": 400, "error": text})
