"""Closing of sends' complete accounts, and the caps that are released with it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from sender_service.models.send import SendRow
from sender_service.models.sums import Sums
from sender_service.pages.page import Page
from sender_service.store.contacts import ContactStore
from sender_service.store.pages import PageStore
from sender_service.store.sends import SendStore

log = logging.getLogger("carillon.accounting")


async def close_complete(
    sends: SendStore, pages: PageStore, ids: Sequence[str], now: datetime
) -> None:
    """Close sends that are planned and have no pending page.

    A closed account with changed sums is corrected: a planner may insert one more page before it
    notices a cancellation.
    """
    planned = [send for send in await sends.heads(ids) if send.state != "planning"]
    accounts = await pages.sums_of({send.id: send.pages for send in planned})
    complete = [(send, accounts[send.id][0]) for send in planned if accounts[send.id][1] == 0]
    closing = [(send, totals) for send, totals in complete if send.closed_at is None]
    await sends.close(closing, now)
    for send, totals in complete:
        if send.closed_at is not None and totals.audience and send.totals != totals:
            await sends.restate(send.id, totals)
    for send, totals in closing:
        log.info("account closed", extra={"send": send.id, "sent": totals.sent})


async def sums_so_far(pages: PageStore, send: SendRow) -> Sums:
    """Return the send's sums: stored once it is closed, until then those of its pages.

    Malformed names aren't counted: no page has them.
    """
    totals = send.totals
    return totals if totals is not None else (await pages.sums(send.id))[0]


async def release_caps(contacts: ContactStore, page: Page) -> None:
    """Release the caps of a closed page's people who got nothing from it."""
    if page.has_reserved_caps and not page.is_open:
        await contacts.release(page.app, page.unsent_people, page.send)
