"""Subscription statuses, read from OneSignal's names and numbers (docs/onesignal.md F)."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

Status = Literal["subscribed", "optedOut", "blocked", "default"]
State = Literal["subscribed", "unsubscribed"]


class Subscription(NamedTuple):
    """A subscription status, with the reason if it isn't subscribed."""

    status: Status
    reason: str | None

    @property
    def state(self) -> State:
        return "subscribed" if self.status == "subscribed" else "unsubscribed"


SUBSCRIBED = Subscription("subscribed", None)
_NAMES = {
    "subscribed": SUBSCRIBED,
    "optedOut": Subscription("optedOut", "opted_out"),
    "blocked": Subscription("blocked", "blocked"),
    "default": Subscription("default", "never_subscribed"),
}
_NUMBERS = {
    0: Subscription("default", "never_subscribed"),
    -2: Subscription("optedOut", "opted_out"),
    -10: Subscription("blocked", "not_subscribed"),
    -18: Subscription("default", "never_prompted"),
    -19: Subscription("default", "not_answered"),
    -20: Subscription("default", "temporary_record"),
    -21: Subscription("blocked", "permission_revoked"),
    -22: Subscription("blocked", "subscription_revoked"),
    -23: Subscription("blocked", "service_worker_error"),
    -24: Subscription("blocked", "service_worker_error"),
    -31: Subscription("optedOut", "disabled_by_api"),
    -98: Subscription("default", "pending"),
    -99: Subscription("default", "never_subscribed"),
}
_NUMBER = re.compile(r"-?\d{1,4}\Z")


def read_status(value: Any) -> Subscription | None:
    """Read a status name, or OneSignal's number (also quoted); None for other values."""
    if isinstance(value, str):
        if value in _NAMES:
            return _NAMES[value]
        if not _NUMBER.match(value):
            return None
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    # For numbers that OneSignal may add: positive is subscribed, negative is not.
    unknown = SUBSCRIBED if value > 0 else Subscription("default", "unknown")
    return _NUMBERS.get(value, unknown)
