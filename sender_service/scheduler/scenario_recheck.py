"""Look again at the people of a scenario's send before its calls are released."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sender_service.models.scenario.push_look import PushLook
from sender_service.pages.page import Page
from sender_service.scenarios.fired_send import FiredSend, Looks

UNCLEAR_DELAY = timedelta(seconds=5)  # of calls to people whose profile may not show a merge yet


async def look_before_release(
    reader: Looks, page: Page, chunks: Sequence[str], send: FiredSend, now: datetime
) -> None:
    """Suppress members to whom the push isn't applicable any more; postpone what isn't clear yet.

    Raises StoreUnavailable.
    """
    members = [index for name in chunks for index in page.pending(name)]
    about = {page.person(index): page.about(index) for index in members}
    looks = await reader.look(send, about, now, "release")
    for index in members:
        _apply(page, index, looks, now)


def _apply(page: Page, index: int, looks: Mapping[str, PushLook], now: datetime) -> None:
    look = looks[page.person(index)]
    if look.is_unclear:
        page.postpone(page.chunk_name(index), now + UNCLEAR_DELAY)
    elif look.why_not == "bought":
        page.suppress(index, "bought")
    elif look.why_not is not None:
        page.suppress_not_applicable(index, look.why_not)
