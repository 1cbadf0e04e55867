"""Reasons why a running send sends nothing now, and their ends, where known."""

from __future__ import annotations

from datetime import datetime

from sender_service.models.send import FINAL, SendOverview, public_state
from sender_service.ops.responses.sends import WaitingResponse
from sender_service.pages.page import Page
from sender_service.pages.quiet_hours import quiet_hours_of
from sender_service.scheduler.budget import MessageBudget
from sender_service.store.pages import PageStore
from shared.apps import AppRegistry
from shared.clock import Clock
from shared.models.app import App
from shared.providers import DEFAULT_PROVIDER

# Codes of waits in which nothing is called until the first page is due.
PAGES_WAIT = frozenset({"quiet_hours", "retry"})


class WaitingReasons:
    """Finds reasons of a wait. All methods raise StoreUnavailable."""

    def __init__(
        self, apps: AppRegistry, pages: PageStore, budget: MessageBudget | None, clock: Clock
    ) -> None:
        self._apps = apps
        self._pages = pages
        self._budget = budget
        self._clock = clock

    async def limited_since(self, send: SendOverview) -> datetime | None:
        """Return the moment since which the message limit stops the send's app; else None."""
        if self._budget is None or send.closed_at is not None:
            return None
        return await self._budget.exhausted_since((send.app, DEFAULT_PROVIDER))

    async def find(
        self, send: SendOverview, limited_since: datetime | None
    ) -> list[WaitingResponse]:
        """Return all reasons, the longest first; none where the send runs, or has ended."""
        if send.state in FINAL:
            return []
        found = [*_of_app(self._apps.get(send.app)), *_of_send(send, self._clock())]
        if found or send.state != "sending":
            return found
        if limited_since is not None:
            channel = send.app, DEFAULT_PROVIDER
            until = await self._budget.frees_at(channel) if self._budget else None
            return [_waiting("message_limit", "held: message limit", until)]
        return await self._of_pages(send)

    async def _of_pages(self, send: SendOverview) -> list[WaitingResponse]:
        """Return the reason of the next page; none while a call is out or a page is due."""
        now = self._clock()
        pages = await self._pages.open_dues(send.id)
        if not pages or any(out or due <= now for _, due, out in pages):
            return []
        first, due, _ = min(pages, key=lambda page: page[1])
        page = await self._pages.get(first)
        if page is not None and _is_quiet(page, send, now):
            return [_waiting("quiet_hours", "quiet hours", due)]
        return [_waiting("retry", "waiting before a retry", due)]


def _waiting(code: str, message: str, until: datetime | None = None) -> WaitingResponse:
    return WaitingResponse(code=code, message=message, until=until)


def _of_app(app: App | None) -> list[WaitingResponse]:
    found = None if app is None else app.why_not_sending()
    return [] if found is None else [_waiting(*found)]


def _of_send(send: SendOverview, now: datetime) -> list[WaitingResponse]:
    if send.paused:
        return [_waiting("paused", "paused")]
    parts = send.parts
    if parts is not None and not parts.complete:
        came = f"{len(parts.received)} of {parts.total} came"
        return [_waiting("list_incomplete", f"waiting for parts of the list: {came}")]
    if public_state(send, now) == "scheduled":
        return [_waiting("scheduled", "scheduled", send.due_at)]
    return []


def _is_quiet(page: Page, send: SendOverview, now: datetime) -> bool:
    quiet = quiet_hours_of(send)
    return quiet is not None and any(
        chunk.state == "planned"
        and chunk.not_before > now
        and quiet.until(now, chunk.time_zone) is not None
        for chunk in page.chunks.values()
    )
