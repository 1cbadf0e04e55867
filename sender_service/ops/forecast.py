"""Forecast of a send's duration under the request rate and the message limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sender_service.models.onesignal_limits import requests_per_second
from sender_service.models.send import SendRow
from sender_service.scheduler.budget import MessageBudget
from shared.apps import AppRegistry
from shared.settings import Settings

MESSAGE_WINDOW_SECONDS = 15 * 60
NEAR_SHARE = 0.8  # of the messages that disable the app: worth a warning


@dataclass(frozen=True)
class Window:
    """Message counts of the rolling 15 minutes: our allowance, its rest, OneSignal's limit."""

    allowance: int
    left: int
    disabling: int


@dataclass(frozen=True)
class Load:
    calls: int
    messages: int


def forecast(load: Load, rate: float, window: Window | None) -> dict[str, Any]:
    """Return calls, messages and seconds. `seconds` is None where the app can't send."""
    request_seconds = math.ceil(load.calls / rate) if rate > 0 else None
    head: dict[str, Any] = {
        "calls": load.calls,
        "messages": load.messages,
        "requestSeconds": request_seconds,
    }
    if window is None:
        return {**head, "seconds": request_seconds, "window": None}
    waiting = _windows_to_wait(load.messages, window)
    seconds = None
    if request_seconds is not None and waiting is not None:
        seconds = max(request_seconds, waiting * MESSAGE_WINDOW_SECONDS)
    return {**head, "seconds": seconds, "window": _window_fields(load.messages, window)}


def _windows_to_wait(messages: int, window: Window) -> int | None:
    if messages <= window.left:
        return 0
    if window.allowance == 0:
        return None
    return math.ceil((messages - window.left) / window.allowance)


def _window_fields(messages: int, window: Window) -> dict[str, Any]:
    """Return the window's fields. `disableLimitShare`: share of the limit that would go at once."""
    taken = max(0, window.allowance - window.left)
    at_once = taken + min(messages, window.left)
    share = at_once / window.disabling if window.disabling else 0.0
    return {
        "allowance": window.allowance,
        "left": window.left,
        "disableLimit": window.disabling,
        "held": messages > window.left,
        "disableLimitShare": round(share, 3),
        "near": share >= NEAR_SHARE,
    }


def rate_of(apps: AppRegistry, app_id: str, settings: Settings) -> float:
    """Return the allowed requests per second."""
    app = apps.get(app_id)
    if app is None:
        return 0.0
    return requests_per_second(app.one_signal.plan) * settings.governor.limit_margin


async def window_of(budget: MessageBudget | None, send: SendRow) -> Window | None:
    if budget is None:
        return None
    app, transactional = send.app, send.priority == "transactional"
    left = await budget.room(app, transactional=transactional)
    allowance = budget.allowance(app, transactional=transactional)
    return Window(allowance, left, budget.disabling(app))
