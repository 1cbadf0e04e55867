"""Event Streams: OneSignal's own word on what became of a push, matched to its page and chunk."""

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
    """By page: what was seen, and which players' pushes failed after all."""

    sightings: dict[str, list[VerifiedInteraction]] = field(
        default_factory=lambda: defaultdict(list)
    )
    failures: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))


class StreamMatcher:
    """An event without our tag is matched by its message id, and parked until its delivery comes.

    The endpoint has authenticated it; the tag says which chunk, the page whether it is a member.
    """

    def __init__(self, tagger: TagSigner, pages: PageStore, parked: ParkedStore) -> None:
        self._tagger = tagger
        self._pages = pages
        self._parked = parked

    async def match(self, events: Sequence[Event]) -> Matched:
        """Raises StoreUnavailable."""
        matched = Matched()
        wanted = [e for e in events if _concerns_us(e)]
        tags = {e.id: self._tagger.verify(e.data.get("tag")) for e in wanted}
        untagged = [e for e in wanted if tags[e.id] is None]
        known = await self._by_message(untagged)
        waiting = []
        for event in wanted:
            tagged = tags[event.id] or known.get(str(event.data.get("notificationId")))
            if tagged is None:
                waiting.append(event)
            else:
                self._add(matched, event, tagged)
        await self._parked.put(waiting)
        return matched

    async def take_parked(self, pages: Mapping[str, Page]) -> list[Event]:
        """Events that waited for a delivery of these pages; they stay parked until `forget`."""
        told = {m for page in pages.values() for m in page.get("notifications", [])}
        return await self._parked.of(sorted(told | {m.lower() for m in told}))

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
                    found[str(chunk["notificationId"])] = TagClaims(page["send"], page["n"], name)
        return found

    def _add(self, matched: Matched, event: Event, tagged: TagClaims) -> None:
        page, kind = page_id(tagged.send, tagged.page), event.data["kind"]
        if kind == FAILED:
            matched.failures[page].append(event)
        else:
            player = str(event.data["playerID"]).lower()
            sighting = VerifiedInteraction(
                event.app, tagged, player, COUNTS_AS[kind], event.occurred_at
            )
            matched.sightings[page].append(sighting)


def _concerns_us(event: Event) -> bool:
    """Sent says nothing new, and unsubscribed is the ledger's."""
    kind = event.data.get("kind")
    return (kind == FAILED or kind in COUNTS_AS) and is_uuid(event.data.get("playerID"))
