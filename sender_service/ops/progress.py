"""Forecast of the remaining time of a running send, estimated from a few of its pages."""

from __future__ import annotations

import math

from sender_service.models.send import SendRow, Sums
from sender_service.ops.forecast import Load, forecast, rate_of, window_of
from sender_service.ops.responses.sends import RemainingResponse
from sender_service.pages.document import page_id
from sender_service.scheduler.budget import MessageBudget
from sender_service.scheduler.tidying import is_sending
from sender_service.store.pages import PageStore
from shared.apps import AppRegistry
from shared.settings import Settings

SAMPLED_PAGES = 3


class SendForecast:
    def __init__(
        self, pages: PageStore, budget: MessageBudget | None, apps: AppRegistry, settings: Settings
    ) -> None:
        self._pages = pages
        self._budget = budget
        self._apps = apps
        self._settings = settings

    async def forecast(self, send: SendRow, sums: Sums) -> RemainingResponse | None:
        """Return the remaining seconds while the send runs.

        None before and after, while it is paused, and while its app may not send.
        """
        if send.state != "sending" or send.paused or not sums["pending"]:
            return None
        if not is_sending(self._apps.get(send.app)):
            return None
        calls = await self._calls(send, sums["pending"])
        rate = rate_of(self._apps, send.app, self._settings)
        rest = forecast(Load(calls, sums["pending"]), rate, await window_of(self._budget, send))
        return RemainingResponse(seconds=rest.seconds)

    async def _calls(self, send: SendRow, pending: int) -> int:
        """Estimate the calls from the messages per call of pages all over the send."""
        last = max(send.pages - 1, 0)
        numbers = {last * i // (SAMPLED_PAGES - 1) for i in range(SAMPLED_PAGES)}
        found = await self._pages.get_many([page_id(send.id, n) for n in sorted(numbers)])
        counts = [
            count for page in found.values() for count in page.counts(page.chunks).values() if count
        ]
        return math.ceil(pending * len(counts) / sum(counts)) if counts else 1
