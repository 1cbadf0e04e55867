"""Match OneSignal's Event Streams, its reports on pushes, to pages and chunks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sender_service.accounting.interactions import VerifiedInteraction
from sender_service.models.push_tag import TagClaims, TagSigner
from sender_service.pages.page import Page, page_id
from sender_service.store.pages import PageStore
from sender_service.store.parked import ParkedStore
from shared.ids import is_uuid
from shared.models.event import Event

COUNTS_AS = {"received": "impression", "clicked": "click"}
FAILED = "failed"


@dataclass
class Matched:
    """Interactions and failures of pushes, by page."""

    interactions: dict[str, list[VerifiedInteraction]] = field(
        default_factory=lambda: defaultdict(list)
    )
    failures: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))


class StreamMatcher:
    """Matcher of stream events, by our tag or else by message id.

    Events whose delivery isn't known yet are parked until it is. The endpoint has authenticated them.
    """

    # The tag names the chunk; the page tells whether the player is a member.

    def __init__(self, tagger: TagSigner, pages: PageStore, parked: ParkedStore) -> None:
        self._tagger = tagger
        self._pages = pages
        self._parked = parked

    async def match(self, events: Sequence[Event]) -> Matched:
        """Return the events that match; park the others. Raises StoreUnavailable."""
        matched = Matched()
        relevant = [e for e in events if _is_relevant(e)]
        tags = {e.id: self._tagger.verify(e.data.get("tag")) for e in relevant}
        untagged = [e for e in relevant if tags[e.id] is None]
        known = await self._by_message(untagged)
        waiting = []
        for event in relevant:
            tagged = tags[event.id] or known.get(str(event.data.get("notificationId")))
            if tagged is None:
                waiting.append(event)
            else:
                self._add(matched, event, tagged)
        await self._parked.put(waiting)
        return matched

    async def take_parked(self, pages: Mapping[str, Page]) -> list[Event]:
        """Return events parked for deliveries of these pages; they stay parked until `forget`."""
        messages = {m for page in pages.values() for m in page.get("notifications", [])}
        return await self._parked.of(sorted(messages | {m.lower() for m in messages}))

    async def park(self, events: Sequence[Event]) -> None:
        await self._parked.put(events)

    async def forget(self, events: Sequence[Event]) -> None:
        await self._parked.remove([event.id for event in events])

    async def _by_message(self, events: Sequence[Event]) -> dict[str, TagClaims]:
        messages = sorted({str(e.data.get("notificationId")) for e in events})
        found: dict[str, TagClaims] = {}
        for page in await self._pages.by_notifications(messages):
            for name, chunk in page["chunks"].items():
                if chunk["notificationId"] in messages:
                    found[str(chunk["notificationId"])] = TagClaims(
                        page["send"], page["number"], name
                    )
        return found

    def _add(self, matched: Matched, event: Event, tagged: TagClaims) -> None:
        page, kind = page_id(tagged.send, tagged.page), event.data["kind"]
        if kind == FAILED:
            matched.failures[page].append(event)
        else:
            player = str(event.data["playerID"]).lower()
            interaction = VerifiedInteraction(
                event.app, tagged, player, COUNTS_AS[kind], event.occurred_at
            )
            matched.interactions[page].append(interaction)


def _is_relevant(event: Event) -> bool:
    """Check whether the event is a failure, an impression or a click of a player."""
    # "sent" is nothing new, and "unsubscribed" is the ledger's.
    kind = event.data.get("kind")
    return (kind == FAILED or kind in COUNTS_AS) and is_uuid(event.data.get("playerID"))
