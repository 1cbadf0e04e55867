"""Forecast of a send's duration under the request rate and the message limit, before and while it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from sender_service.models.send import SendRow
from sender_service.models.sums import Sums
from sender_service.ops.responses.preview import ForecastResponse, WindowResponse
from sender_service.ops.responses.sends import RemainingResponse
from sender_service.pages.document import page_id
from sender_service.providers.base import Providers, request_rate
from sender_service.scheduler.budget import MessageBudget
from sender_service.scheduler.repair import is_sending
from sender_service.store.pages import PageStore
from shared.apps import AppRegistry
from shared.models.app import App
from shared.providers import DEFAULT_PROVIDER
from shared.settings import Settings

MESSAGE_WINDOW_SECONDS = 15 * 60
SAMPLED_PAGES = 3  # of a running send
NEAR_SHARE = 0.8  # of the messages that disable the app: worth a warning


@dataclass(frozen=True)
class Window:
    """Message counts of the rolling 15 minutes: our allowance, its rest, the provider's limit."""

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


def rate_of(providers: Providers, app: App | None, settings: Settings) -> float:
    """Return the allowed requests per second."""
    return 0.0 if app is None else request_rate(providers, app) * settings.governor.limit_margin


async def window_of(budget: MessageBudget | None, send: SendRow) -> Window | None:
    if budget is None:
        return None
    channel, transactional = (send.app, DEFAULT_PROVIDER), send.priority == "transactional"
    left = await budget.room(channel, transactional=transactional)
    allowance = budget.allowance(channel, transactional=transactional)
    return Window(allowance, left, budget.disabling(channel))


class SendForecast:
    def __init__(
        self,
        pages: PageStore,
        budget: MessageBudget | None,
        apps: AppRegistry,
        providers: Providers,
        settings: Settings,
    ) -> None:
        self._pages = pages
        self._budget = budget
        self._apps = apps
        self._providers = providers
        self._settings = settings

    async def forecast(
        self, send: SendRow, sums: Sums, waits_until: datetime | None, now: datetime
    ) -> RemainingResponse | None:
        """Return the remaining seconds while the send runs; `waits_until`: no call until then.

        None before and after, while it is paused, and while its app may not send.
        """
        if send.state != "sending" or send.paused or not sums.pending:
            return None
        app = self._apps.get(send.app)
        if not is_sending(app):
            return None
        calls = await self._calls(send, sums.pending)
        rate = rate_of(self._providers, app, self._settings)
        rest = forecast(Load(calls, sums.pending), rate, await window_of(self._budget, send))
        if rest.seconds is None or waits_until is None:
            return RemainingResponse(seconds=rest.seconds)
        wait = math.ceil((waits_until - now).total_seconds())
        return RemainingResponse(seconds=max(wait, 0) + rest.seconds)

    async def _calls(self, send: SendRow, pending: int) -> int:
        """Estimate the calls from the messages per call of pages all over the send."""
        last = max(send.pages - 1, 0)
        numbers = {last * i // (SAMPLED_PAGES - 1) for i in range(SAMPLED_PAGES)}
        found = await self._pages.get_many([page_id(send.id, n) for n in sorted(numbers)])
        counts = [
            count for page in found.values() for count in page.counts(page.chunks).values() if count
        ]
        return math.ceil(pending * len(counts) / sum(counts)) if counts else 1
