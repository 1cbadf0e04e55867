"""Explain why a person got a push or didn't, from the pages, which account for all members."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from sender_service.store.outcomes import MemberOutcome, OutcomeReader, PersonFilter, SendSummary
from sender_service.store.person_data import PersonNames
from shared.clock import CLOCK_SKEW, Clock
from shared.errors import NotFound

RECENT_SENDS = 50
RECENT_PAGES = 200  # of 2,000 members each: they are read in a few seconds
ALL_SENDS = 100_000


class OutcomeExplainer:
    """Reader of a person's outcomes. Methods raise StoreUnavailable when MongoDB is away."""

    def __init__(self, outcomes: OutcomeReader, clock: Clock) -> None:
        self._outcomes = outcomes
        self._clock = clock

    async def of_send(self, known: PersonNames, send: str) -> list[dict[str, Any]]:
        """Return the outcomes in one send. Raises NotFound, also for another app's send."""
        found = await self._known_send(known, send)
        return [_item(found, one) for one in await self._outcomes.of_send(send, _filter_of(known))]

    async def of_segment(self, known: PersonNames, send: str) -> list[dict[str, Any]]:
        """Return the outcomes in one send to a segment, which may have many pages. Raises NotFound."""
        found = await self._known_send(known, send)
        outcomes = await self._outcomes.of_segment(send, _filter_of(known))
        return [_item(found, one) for one in outcomes]

    async def recent(self, known: PersonNames) -> tuple[int, list[dict[str, Any]]]:
        """Return the number of sends searched, newest first, and the outcomes found in them.

        The search ends after RECENT_SENDS, or about RECENT_PAGES pages.
        """
        before = self._clock() + CLOCK_SKEW
        items: list[dict[str, Any]] = []
        searched = pages = 0
        for send in await self._outcomes.recent(known.app, before, RECENT_SENDS):
            pages += send.pages
            if searched and pages > RECENT_PAGES:
                break
            searched += 1
            found = await self._outcomes.of_send(send.id, _filter_of(known))
            items += [_item(send, one) for one in found]
        return searched, items

    async def whole(
        self, known: PersonNames
    ) -> AsyncIterator[tuple[MemberOutcome, dict[str, Any]]]:
        """Yield all outcomes, with each push's interactions."""
        before = self._clock() + CLOCK_SKEW
        for send in await self._outcomes.recent(known.app, before, ALL_SENDS):
            found = await self._outcomes.of_send(send.id, _filter_of(known))
            interactions = await self._outcomes.interactions(sorted({one.page for one in found}))
            for one in found:
                about = {"items": list(one.items)} if one.items else {}
                yield one, {**_item(send, one), **about, **_interactions(one, interactions)}

    async def _known_send(self, known: PersonNames, send: str) -> SendSummary:
        found = await self._outcomes.send(send)
        if found is None or found.app != known.app:
            raise NotFound("no such send", code="unknown_send")
        return found


def _filter_of(known: PersonNames) -> PersonFilter:
    return PersonFilter(known.ids, known.player_ids)


def _item(send: SendSummary, found: MemberOutcome) -> dict[str, Any]:
    return {
        "send": send.id,
        "campaign": send.campaign,
        "variant": found.variant,
        "player": found.player,
        "outcome": found.outcome,
        "reason": found.reason,
        "detail": found.detail,
        "at": found.at,
        "notificationId": found.notification,
    }


def _interactions(
    found: MemberOutcome, by_page: dict[str, dict[str, dict[str, datetime]]]
) -> dict[str, Any]:
    kinds, index = by_page.get(found.page, {}), str(found.index)
    return {"interactions": {kind: times[index] for kind, times in kinds.items() if index in times}}
