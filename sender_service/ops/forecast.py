"""Forecast of a send's duration under the request rate and the message limit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sender_service.models.onesignal_limits import requests_per_second
from sender_service.models.send import SendRow
from sender_service.ops.responses.preview import ForecastResponse, WindowResponse
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


def forecast(load: Load, rate: float, window: Window | None) -> ForecastResponse:
    """Return calls, messages and seconds. `seconds` is None where the app can't send."""
    request_seconds = math.ceil(load.calls / rate) if rate > 0 else None
    waiting = 0 if window is None else _windows_to_wait(load.messages, window)
    seconds = None
    if request_seconds is not None and waiting is not None:
        seconds = max(request_seconds, waiting * MESSAGE_WINDOW_SECONDS)
    return ForecastResponse(
        calls=load.calls,
        messages=load.messages,
        request_seconds=request_seconds,
        seconds=seconds,
        window=None if window is None else _to_response(load.messages, window),
    )


def _windows_to_wait(messages: int, window: Window) -> int | None:
    if messages <= window.left:
        return 0
    if window.allowance == 0:
        return None
    return math.ceil((messages - window.left) / window.allowance)


def _to_response(messages: int, window: Window) -> WindowResponse:
    taken = max(0, window.allowance - window.left)
    at_once = taken + min(messages, window.left)
    share = at_once / window.disabling if window.disabling else 0.0
    return WindowResponse(
        allowance=window.allowance,
        left=window.left,
        disable_limit=window.disabling,
        must_wait=messages > window.left,
        disable_limit_share=round(share, 3),
        near=share >= NEAR_SHARE,
    )


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
