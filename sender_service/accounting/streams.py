"""Match a provider's stream of events, its reports on pushes, to pages and chunks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from sender_service.accounting.interactions import VerifiedInteraction
from sender_service.models.push_tag import TagClaims, TagSigner
from sender_service.pages.document import page_id
from sender_service.pages.page import Page
from sender_service.store.pages import PageStore
from sender_service.store.parked import ParkedStore
from sender_service.store.stores import Stores
from shared.events.payloads import StreamPayload
from shared.events.registry import payload_of
from shared.ids import is_uuid
from shared.models.event import Event

COUNTS_AS = {"received": "impression", "clicked": "click"}
REPORTED_KINDS = frozenset({"failed", *COUNTS_AS})


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

    @classmethod
    def of(cls, stores: Stores, tagger: TagSigner) -> StreamMatcher:
        return cls(tagger, stores.pages, stores.parked)

    async def match(self, events: Sequence[Event]) -> Matched:
        """Return the events that match; park the others. Raises StoreUnavailable."""
        matched = Matched()
        payloads = [(event, payload_of(event, StreamPayload)) for event in events]
        relevant = [(e, p, self._tagger.verify(p.tag)) for e, p in payloads if _is_relevant(p)]
        untagged = {str(p.notification_id) for _, p, tag in relevant if tag is None}
        known = await self._by_message(untagged)
        waiting = []
        for event, payload, tag in relevant:
            tagged = tag or known.get(str(payload.notification_id))
            if tagged is None:
                waiting.append(event)
            else:
                _add(matched, event, payload, tagged)
        await self._parked.put(waiting)
        return matched

    async def take_parked(self, pages: Mapping[str, Page]) -> list[Event]:
        """Return events parked for deliveries of these pages; they stay parked until `forget`."""
        messages = {m for page in pages.values() for m in page.notifications}
        return await self._parked.of(sorted(messages | {m.lower() for m in messages}))

    async def park(self, events: Sequence[Event]) -> None:
        await self._parked.put(events)

    async def forget(self, events: Sequence[Event]) -> None:
        await self._parked.remove([event.id for event in events])

    async def _by_message(self, messages: Set[str]) -> dict[str, TagClaims]:
        found: dict[str, TagClaims] = {}
        for page in await self._pages.by_notifications(sorted(messages)):
            for name, chunk in page.chunks.items():
                if chunk.notification_id is not None and chunk.notification_id in messages:
                    found[chunk.notification_id] = TagClaims(page.send, page.number, name)
        return found


def _add(matched: Matched, event: Event, payload: StreamPayload, tagged: TagClaims) -> None:
    page, counts_as = page_id(tagged.send, tagged.page), COUNTS_AS.get(str(payload.kind))
    if counts_as is None:
        matched.failures[page].append(event)
        return
    player = str(payload.player_id).lower()
    interaction = VerifiedInteraction(event.app, tagged, player, counts_as, event.occurred_at)
    matched.interactions[page].append(interaction)


def _is_relevant(payload: StreamPayload) -> bool:
    """Check whether the event is a failure, an impression or a click of a player."""
    # "sent" is nothing new, and "unsubscribed" is the ledger's.
    return payload.kind in REPORTED_KINDS and is_uuid(payload.player_id)
