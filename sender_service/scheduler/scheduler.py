"""Scheduler: releases due chunks, repeats those without an answer, closes complete accounts.

Apps are served round robin, in the order of priorities, at most 2 s of an app's rate ahead."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sender_service.account_closing import close_complete, release_caps
from sender_service.models.send import SendOverview
from sender_service.pages.document import send_of
from sender_service.pages.page import Page
from sender_service.pages.transitions import due_chunks, expire, release
from sender_service.providers.base import request_rate
from sender_service.scheduler.message_window import Grant
from sender_service.scheduler.night import wait_through_night
from sender_service.scheduler.publishing import build_jobs, publish_jobs
from sender_service.scheduler.recheck import Recheck
from sender_service.scheduler.repair import SendRepair, is_sending
from sender_service.scheduler.reserving import EXHAUSTED_DELAY, ChunkReserver
from sender_service.scheduler.tools import SchedulerTools
from sender_service.store.pages import OpenPage
from shared.errors import Unavailable
from shared.health import Component
from shared.loops import Wakeup
from shared.models.app import App
from shared.mongo.errors import blame_database
from shared.priority import RELEASE_ORDER, Priority

log = logging.getLogger("carillon.scheduler")

PAGES_PER_PASS = 32  # of one app and priority, before the next app is served
REPAIR_SECONDS = 10.0
ORPHAN_DELAY = timedelta(minutes=10)  # of a page without a send: the trigger may be repeated
PAUSED_DELAY = timedelta(seconds=30)  # of pages that are paused, or rest on old knowledge
FAILED_SECONDS = 30.0
COUNTED_FOR = timedelta(minutes=1)  # a call repeated later is reserved anew
DELAYS_UNTIL_OVER = 3  # without another refusal the exhaustion is over


@dataclass
class _Pass:
    """One pass over the apps, with the sends that it has read: each is read once."""

    sends: dict[str, SendOverview | None] = field(default_factory=dict)


class Scheduler:
    def __init__(self, tools: SchedulerTools) -> None:
        self._tools = tools
        self._answer_timeout = tools.settings.answer_timeout
        self._reserver = ChunkReserver(tools.budget)
        self._recheck = Recheck(tools.people, tools.looks, tools.knowledge)
        self._repair = SendRepair(
            tools.apps,
            tools.sends,
            tools.pages,
            tools.contacts,
            self._answer_timeout,
        )
        self._repaired_at: float | None = None
        self._idle_seconds = 0.0  # until the next page is due, or the next poll
        self._failed_until: dict[str, float] = {}  # failed pages → until when they are skipped

    async def run(self, stop: asyncio.Event, wakeup: Wakeup, component: Component) -> None:
        while not stop.is_set():
            try:
                with blame_database():
                    released = await self.release_due()
                    await self._repair_sends()
                component.beat()
            except Unavailable as exc:
                released = 0
                component.wait_for(exc)
            if not released:
                await wakeup.wait(self._idle_seconds)

    async def release_due(self) -> int:
        """Release due chunks of all apps once; return the number of jobs. Raises Unavailable."""
        this_pass, released = _Pass(), 0
        self._idle_seconds = self._tools.settings.poll_seconds
        for app in list(self._tools.apps.apps):
            if is_sending(app):
                released += await self._release_app(app, this_pass)
        await self._tools.budget.end_exhaustion(DELAYS_UNTIL_OVER * EXHAUSTED_DELAY)
        return released

    async def _release_app(self, app: App, this_pass: _Pass) -> int:
        tools, now, pages = self._tools, self._tools.clock(), self._tools.pages
        due = {p: await self._due(app.id, p, now) for p in RELEASE_ORDER}
        if not any(due.values()):
            return 0
        out = await pages.out(app.id, now, self._answer_timeout) + sum(
            p.in_flight for of in due.values() for p in of
        )
        released = 0
        for priority in RELEASE_ORDER:
            most = self._limit_in_flight(app, priority) - out
            for page in await self._workable(due[priority], this_pass):
                room = max(0, most - released)
                has_work = room > 0 or page.answer_due_at <= now
                if has_work and self._failed_until.get(page.id, 0.0) <= tools.monotonic():
                    released += await self._release_safely(app, page.id, this_pass, room)
        return released

    async def _due(self, app: str, priority: Priority, now: datetime) -> list[OpenPage]:
        """Return due pages; sleep no longer than until the next one is due."""
        soon = now + timedelta(seconds=self._tools.settings.poll_seconds)
        found = await self._tools.pages.due_pages(app, priority, soon)
        due = [page for page in found if page.due_at <= now]
        for page in found[len(due) : len(due) + 1]:
            seconds = (page.due_at - now).total_seconds()
            self._idle_seconds = min(self._idle_seconds, seconds)
        return due

    def _limit_in_flight(self, app: App, priority: Priority) -> int:
        """Return how many calls may be in flight; a share is kept for transactional pushes."""
        # Transactional pushes don't wait for the answers to marketing calls.
        tools = self._tools
        rate = request_rate(tools.makers.providers, app)
        ahead = rate * tools.settings.release_ahead_seconds
        kept = 0.0 if priority == "transactional" else tools.budget.transactional_share
        return int(ahead * (1 - kept))

    async def _release_safely(self, app: App, page: str, this_pass: _Pass, room: int) -> int:
        """Release the page; log a failure and skip the page for a while. Raises Unavailable."""
        try:
            return await self._release(app, page, this_pass, room)
        except Unavailable:
            raise
        except Exception as exc:  # a bug, or a document changed by hand
            log.error("page release failed", exc_info=exc, extra={"page_id": page})
            self._failed_until[page] = self._tools.monotonic() + FAILED_SECONDS
            return 0

    async def _workable(self, due: Sequence[OpenPage], this_pass: _Pass) -> list[OpenPage]:
        """Return the first pages of planned sends; postpone paused and orphaned ones."""
        chosen: list[OpenPage] = []
        paused: list[str] = []
        orphans: list[str] = []
        now = self._tools.clock()
        for page in due:
            if page.send not in this_pass.sends:
                this_pass.sends[page.send] = await self._tools.sends.without_list(page.send)
            send = this_pass.sends[page.send]
            if send is None:  # the fast path stored the page, but not the send yet
                orphans.append(page.id)
            elif page.is_paused(send, now) or await self._recheck.rests(send, now):
                paused.append(page.id)
            elif send.state != "planning" and len(chosen) < PAGES_PER_PASS:
                chosen.append(page)
        await self._tools.pages.postpone(paused, now + PAUSED_DELAY)
        await self._tools.pages.postpone(orphans, now + ORPHAN_DELAY)
        return chosen

    async def _release(self, app: App, page_id: str, this_pass: _Pass, room: int) -> int:
        tools = self._tools
        page = await tools.pages.get(page_id)
        send = this_pass.sends.get(send_of(page_id))
        if page is None or send is None:
            return 0
        now = tools.clock()
        expire(page, send, now, self._answer_timeout)
        chunks, grants = await self._choose(page, send, room)
        for chunk in chunks:
            release(page, chunk, send, now)
        changes = page.changes(self._answer_timeout)
        if changes:
            await release_caps(tools.contacts, page)
        if changes and not await tools.pages.update(page, changes):
            for provider, grant in grants.items():
                await tools.budget.refund((app.id, provider), grant)
            return 0
        if chunks:
            pushes = await tools.pages.pushes(page)
            jobs = build_jobs(app, page, send, chunks, pushes, tools.makers)
            await publish_jobs(tools.writer, jobs)
        if changes and not page.is_open:
            await close_complete(tools.sends, tools.pages, [send.id], now)
        return len(chunks)

    async def _choose(
        self, page: Page, send: SendOverview, room: int
    ) -> tuple[list[str], dict[str, Grant]]:
        """Return the chunks that may be called now, and what was reserved for them by provider."""
        now, chunks = self._tools.clock(), page.chunks
        await wait_through_night(self._tools.contacts, page, send, now, self._answer_timeout)
        due = due_chunks(page, send, now, room=room, answer_timeout=self._answer_timeout)
        # Also chunks deferred without a call. What may have been called is repeated unchanged.
        uncalled = [name for name in due if not chunks[name].is_attempted]
        left = set(await self._recheck.recheck(page, uncalled, send, now))
        due = [name for name in due if name in left or chunks[name].is_attempted]
        new: list[str] = []
        again: list[str] = []  # their reservation still counts
        late: list[str] = []
        for name in due:
            chunk = chunks[name]
            is_counted = chunk.reserved_at > now - COUNTED_FOR
            if chunk.releases == 0:
                new.append(name)
            # A call at a provider that isn't open is reserved anew: that is refused, so it waits.
            elif is_counted and chunk.provider in self._tools.makers.providers:
                again.append(name)
            else:
                late.append(name)
        granted, grants = await self._reserver.reserve(page, late, new, now)
        return again + granted, grants

    async def _repair_sends(self) -> None:
        moment = self._tools.monotonic()
        if self._repaired_at is not None and moment - self._repaired_at < REPAIR_SECONDS:
            return
        self._repaired_at = moment
        await self._repair.repair_sends(self._tools.clock())
