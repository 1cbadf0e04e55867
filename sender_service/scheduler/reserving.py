"""Reserve the messages of due chunks; postpone those that the message budget refuses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sender_service.pages.page import Page
from sender_service.providers.base import Channel
from sender_service.scheduler.budget import MessageBudget
from sender_service.scheduler.message_window import Grant

EXHAUSTED_DELAY = timedelta(seconds=5)  # of calls that the message budget refused
# A refused call is due again after EXHAUSTED_DELAY, perhaps at another replica.
TRIGGERED_WAIT = 3 * EXHAUSTED_DELAY


class ChunkReserver:
    """Reserves the messages of chunks. What scenarios triggered comes before marketing."""

    def __init__(self, budget: MessageBudget) -> None:
        self._budget = budget
        # Of an exhausted budget each minute frees a little: whoever is due first would take it.
        self._triggered_until: dict[Channel, datetime] = {}  # marketing gets nothing until then

    async def reserve(
        self, page: Page, late: Sequence[str], new: Sequence[str], now: datetime
    ) -> tuple[list[str], dict[str, Grant]]:
        """Return the chunks that may be released, and the grants by provider.

        `late`: chunks whose earlier reservation is over; it moves. None of a provider that isn't open
        may be released. Raises StoreUnavailable.
        """
        chunks = page.chunks
        released: list[str] = []
        grants: dict[str, Grant] = {}
        for provider in dict.fromkeys(chunks[chunk].provider for chunk in (*late, *new)):
            before = [chunk for chunk in late if chunks[chunk].provider == provider]
            requested = before + [chunk for chunk in new if chunks[chunk].provider == provider]
            moved = [chunks[chunk].reserved_at for chunk in before]
            grants[provider] = grant = await self._grant(page, provider, requested, moved, now)
            for chunk in requested[: grant.calls]:
                page.reserve(chunk, now)
            for chunk in requested[grant.calls :]:
                page.postpone(chunk, now + EXHAUSTED_DELAY)
            released += requested[: grant.calls]
        return released, grants

    async def _grant(
        self,
        page: Page,
        provider: str,
        requested: Sequence[str],
        moved: Sequence[datetime],
        now: datetime,
    ) -> Grant:
        channel, counts = (page.app, provider), page.counts(requested)
        if page.priority == "marketing" and now < self._triggered_until.get(channel, now):
            return Grant(0, {})
        grant = await self._budget.reserve(
            channel,
            [counts[chunk] for chunk in requested],
            transactional=page.priority == "transactional",
            before=moved,
        )
        if page.priority == "triggered" and grant.calls < len(requested):
            self._triggered_until[channel] = now + TRIGGERED_WAIT
        return grant
