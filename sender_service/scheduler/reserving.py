"""Reserve the messages of due chunks; postpone those that the message budget refuses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sender_service.pages.page import Page
from sender_service.scheduler.budget import MessageBudget
from sender_service.scheduler.message_window import Grant

EXHAUSTED_DELAY = timedelta(seconds=5)  # of calls that the message budget refused


async def reserve_chunks(
    budget: MessageBudget, page: Page, late: Sequence[str], new: Sequence[str], now: datetime
) -> tuple[list[str], dict[str, Grant]]:
    """Return the chunks that may be released, and the grants by provider.

    `late`: chunks whose earlier reservation is over; it moves. None of a provider that isn't open may
    be released. Raises StoreUnavailable.
    """
    chunks = page.chunks
    released: list[str] = []
    grants: dict[str, Grant] = {}
    for provider in dict.fromkeys(chunks[chunk].provider for chunk in (*late, *new)):
        before = [chunk for chunk in late if chunks[chunk].provider == provider]
        requested = before + [chunk for chunk in new if chunks[chunk].provider == provider]
        counts = page.counts(requested)
        grants[provider] = grant = await budget.reserve(
            (page.app, provider),
            [counts[chunk] for chunk in requested],
            transactional=page.priority == "transactional",
            before=[chunks[chunk].reserved_at for chunk in before],
        )
        for chunk in requested[: grant.calls]:
            page.reserve(chunk, now)
        for chunk in requested[grant.calls :]:
            page.postpone(chunk, now + EXHAUSTED_DELAY)
        released += requested[: grant.calls]
    return released, grants
