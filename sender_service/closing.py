"""When a send's account is closed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from sender_service.pages.page import Page, unsent_people
from sender_service.store.contacts import ContactStore
from sender_service.store.pages import PageStore
from sender_service.store.sends import SendStore

log = logging.getLogger("carillon.accounting")


async def close_complete(
    sends: SendStore, pages: PageStore, ids: Sequence[str], now: datetime
) -> None:
    """Freeze the totals of those that are planned and have no page with anything pending.

    What is closed already is stated again where it changed since: a planner may have inserted one
    more page before it noticed that its send was cancelled.
    """
    planned = [send for send in await sends.heads(ids) if send["state"] != "planning"]
    accounts = await pages.sums_of({send["_id"]: send["pages"] for send in planned})
    complete = [
        (send, accounts[send["_id"]][0]) for send in planned if accounts[send["_id"]][1] == 0
    ]
    closing = [(send, totals) for send, totals in complete if send["closedAt"] is None]
    await sends.close(closing, now)
    for send, totals in complete:
        if send["closedAt"] is not None and totals["audience"] and send["totals"] != totals:
            await sends.restate(send["_id"], totals)
    for send, totals in closing:
        log.info("account closed", extra={"send": send["_id"], "sent": totals["sent"]})


async def release_caps(contacts: ContactStore, page: Page) -> None:
    """Before a page is closed: whoever got nothing from it isn't counted against a cap."""
    if page["capped"] and not page["open"]:
        await contacts.give_back(page["app"], unsent_people(page), page["send"])
