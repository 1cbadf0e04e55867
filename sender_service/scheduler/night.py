"""Night of a page: its chunks wait for the morning, and scenario pushes keep the gap then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sender_service.models.send import SendOverview
from sender_service.pages.page import Page
from sender_service.pages.quiet_hours import app_policy_of, wait_through_quiet_hours
from sender_service.store.contacts import ContactStore


async def wait_through_night(
    contacts: ContactStore, page: Page, send: SendOverview, now: datetime, answer_timeout: timedelta
) -> None:
    """Postpone chunks that are in quiet hours; suppress whom another scenario's push reaches at their end.

    Raises StoreUnavailable.
    """
    met = wait_through_quiet_hours(page, send, now, answer_timeout)
    if met and send.scenario is not None and page.has_reserved_caps:
        await _keep_gap(contacts, page, send, met)


async def _keep_gap(
    contacts: ContactStore, page: Page, send: SendOverview, met: Mapping[str, datetime]
) -> None:
    """Note that these chunks leave later; suppress whom another scenario's push reaches then.

    `met`: chunk → until when it waits.
    """
    members = {
        index: until
        for name, until in met.items()
        if not page.chunks[name].is_attempted  # else it may have left
        for index in page.pending(name)
    }
    if not members:
        return
    gap = app_policy_of(send).gap
    later = {page.person(index): until for index, until in members.items()}
    refused = await contacts.move(page.app, page.send, gap, later)
    for index in members:
        if page.person(index) in refused:
            page.suppress(index, "capped")
