"""Release of the fast path's calls, as far as the rate and the message budget allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sender_service.account_closing import close_complete
from sender_service.fast_path.plan import FastPathPlan
from sender_service.models.push import Push
from sender_service.models.send import Send
from sender_service.pages.page import Page
from sender_service.pages.transitions import release
from sender_service.scheduler import publishing
from sender_service.scheduler.in_flight import InFlightLimit
from sender_service.scheduler.message_window import Grant
from sender_service.scheduler.reserving import EXHAUSTED_DELAY
from sender_service.scheduler.tools import SchedulerTools
from shared.clock import monotonic
from shared.models.app import App
from shared.models.job import Job

_Call = tuple[Send, Page, str, int]  # with its chunk and the number of its players


class CallReleaser:
    """Releases what both limits allow; the scheduler releases the rest."""

    def __init__(self, tools: SchedulerTools) -> None:
        self._tools = tools
        self._in_flight = InFlightLimit(
            tools.makers.providers, tools.settings.release_ahead_seconds, monotonic
        )

    async def release_calls(
        self, app: App, planned: Sequence[tuple[Send, Page]]
    ) -> dict[str, Grant]:
        """Release the pages' calls in place; return the messages granted, by provider."""
        calls: dict[str, list[_Call]] = {}
        for send, page in planned:
            for chunk, count in page.counts(page.chunks).items():
                provider = page.chunks[chunk].provider
                calls.setdefault(provider, []).append((send, page, chunk, count))
        grants = {
            provider: await self._release_of(app, provider, of) for provider, of in calls.items()
        }
        for _, page in planned:
            page.derive(self._tools.settings.answer_timeout)
        return grants

    async def _release_of(self, app: App, provider: str, calls: Sequence[_Call]) -> Grant:
        """Release a provider's calls as far as the limits allow."""
        now = self._tools.clock()
        counts = [count for *_, count in calls[: self._in_flight.room(app)]]
        grant = Grant(0, {})
        if counts:
            grant = await self._tools.budget.reserve((app.id, provider), counts, transactional=True)
            self._in_flight.taken(app, grant.calls)
        for at, (send, page, chunk, _) in enumerate(calls):
            if at < grant.calls:
                page.reserve(chunk, now)
                release(page, chunk, send, now)
            else:
                page.postpone(chunk, now + EXHAUSTED_DELAY if at < len(counts) else now)
        return grant

    async def refund(self, app: App, grants: Mapping[str, Grant], lost: Sequence[Page]) -> None:
        """Release the message budget of pages that a repeated batch or another replica stored."""
        # Their budget was reserved when they were made.
        for provider, grant in grants.items():
            left = sum(sum(page.counts(_released(page, provider)).values()) for page in lost)
            booked = {}
            for minute, messages in grant.booked.items():
                booked[minute] = min(messages, left)
                left -= booked[minute]
            if any(booked.values()):
                await self._tools.budget.refund((app.id, provider), Grant(0, booked))

    async def publish(self, plan: FastPathPlan) -> None:
        """Publish the jobs, and close the sends without any. Raises LogUnavailable."""
        tools = self._tools
        if plan.jobs:
            await publishing.publish_jobs(tools.writer, plan.jobs)
        done = [send for send in plan.sends if send not in {job.send for job in plan.jobs}]
        if done:
            await close_complete(tools.sends, tools.pages, done, tools.clock())

    def build_jobs(self, app: App, page: Page, send: Send, pushes: Sequence[Push]) -> list[Job]:
        """Build the jobs of the page's released chunks.

        A stored page's chunks wait for the scheduler where their provider isn't open here.
        """
        makers = self._tools.makers
        chunks = [c for c in _released(page) if page.chunks[c].provider in makers.providers]
        return publishing.build_jobs(app, page, send, chunks, pushes, makers)


def _released(page: Page, provider: str | None = None) -> list[str]:
    """Return the released chunks; of one provider, where it is given."""
    return [
        name
        for name, chunk in page.chunks.items()
        if chunk.state == "released" and provider in (None, chunk.provider)
    ]
