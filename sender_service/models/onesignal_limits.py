"""OneSignal's limits (docs/onesignal.md B)."""

from __future__ import annotations

REQUESTS_PER_SECOND = {"free": 150, "paid": 6_000}  # create message, per app


def requests_per_second(plan: str) -> int:
    return REQUESTS_PER_SECOND[plan]
