"""OneSignal's limits (docs/onesignal.md B). Pure."""

from __future__ import annotations

from sender_service.providers.base import MessageWindow, ProviderLimits

REQUESTS_PER_SECOND = {"free": 150, "paid": 6_000}  # create message, per app
MAX_TARGETS = 2_000
DATA_BYTES_A_CALL = 2_048
MAX_TTL_SECONDS = 2_419_200
MESSAGE_WINDOW = MessageWindow(factor=10, minutes=15)  # above it OneSignal disables the app

LIMITS_BY_PLAN = {
    plan: ProviderLimits(rate, MAX_TARGETS, DATA_BYTES_A_CALL, MAX_TTL_SECONDS, MESSAGE_WINDOW)
    for plan, rate in REQUESTS_PER_SECOND.items()
}
