"""When a send's account is closed."""

from __future__ import annotations

import logging
from datetime import datetime

from sender_service.models.page import Page, unsent_people
from sender_service.store.contacts import ContactStore
from sender_service.store.pages import PageStore
from sender_service.store.sends import SendStore

log = logging.getLogger("carillon.accounting")


async def close_if_complete(sends: SendStore, pages: PageStore, send: str, now: datetime) -> None:
    """Freeze the totals once the send is planned and no page has anything pending."""
    document = await sends.get(send)
    if document is None or document["state"] == "planning" or document["closedAt"] is not None:
        return
    totals, still_open = await pages.sums(send)
    if still_open == 0:
        await sends.close(send, totals, now)
        log.info("account closed", extra={"send": send, "sent": totals["sent"]})


async def settle_caps(contacts: ContactStore, page: Page) -> None:
    """Before a page is closed: whoever got nothing from it isn't counted against a cap."""
    if page["capped"] and not page["open"]:
        await contacts.give_back(page["app"], unsent_people(page), page["send"])
