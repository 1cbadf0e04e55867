"""Repair now and then: pages that aren't due, open accounts, ended sends of stopped apps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sender_service.account_closing import close_complete, release_caps
from sender_service.models.send import SendRow
from sender_service.pages.page import Page
from sender_service.pages.transitions import WITHDRAWN, expire
from sender_service.store.contacts import ContactStore
from sender_service.store.pages import PageStore
from sender_service.store.sends import SendStore
from shared.apps import AppRegistry
from shared.models.app import App


def is_sending(app: App | None) -> bool:
    """Return whether anything may be released for the app."""
    return app is not None and app.is_sending


@dataclass(frozen=True)
class SendRepair:
    """Repairs of sends and pages. Methods raise StoreUnavailable when MongoDB is away."""

    apps: AppRegistry
    sends: SendStore
    pages: PageStore
    contacts: ContactStore
    answer_timeout: timedelta

    async def repair_sends(self, now: datetime) -> None:
        """Repair what a crash between two writes left; end sends of apps without releases."""
        unclosed = await self.sends.unclosed()
        for send in unclosed:
            if not is_sending(self.apps.get(send.app)):
                await self.end(send, now)
            elif send.state in WITHDRAWN:
                await self.pages.make_due(send.id, now)
        ids = [send.id for send in unclosed if send.state != "planning"]
        await close_complete(self.sends, self.pages, ids, now)

    async def end_stopped(self, name: str, now: datetime) -> None:
        """End a send of an app without releases: the scheduler skips its pages."""
        send = await self.sends.without_list(name)
        if send is not None and not is_sending(self.apps.get(send.app)):
            await self.end(send, now)
            await close_complete(self.sends, self.pages, [name], now)

    async def end(self, send: SendRow, now: datetime) -> None:
        """Suppress members without an attempt, of a send that is over; nothing goes out later."""
        if send.state not in WITHDRAWN and now < send.expires_at:
            return
        async for page in self.pages.of_send(send.id):
            while page.is_open and not await self._end_page(page, send, now):
                fresh = await self.pages.get(page.id)
                if fresh is None:
                    break
                page = fresh

    async def _end_page(self, page: Page, send: SendRow, now: datetime) -> bool:
        """End the page; return False when it has changed since it was read."""
        expire(page, send, now, self.answer_timeout)
        changes = page.changes(self.answer_timeout)
        if changes:
            await release_caps(self.contacts, page)
        return not changes or await self.pages.update(page, changes)
