"""Match webhooks to the members of a page, and count refused calls of a send. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush

from sender_service.models.push_tag import TagClaims, TagSigner
from sender_service.models.send import EVER
from sender_service.pages.chunk import Chunk, root_of
from sender_service.pages.page import Page
from shared.events.payloads import INTERACTION_KINDS, InteractionPayload
from shared.events.registry import payload_of
from shared.ids import is_uuid
from shared.models.event import Event


class RefusedRun:
    """Run of calls that the provider refused since the last one it accepted of the send.

    Chunks are added in any order. Only the latest `limit` refusals are kept in memory.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._accepted_at = EVER
        self._refused: list[datetime] = []  # a heap: when the latest were refused

    def add(self, chunks: Iterable[Chunk]) -> None:
        for chunk in chunks:
            if chunk.at is None:
                continue
            if chunk.state == "sent":
                self._accepted_at = max(self._accepted_at, chunk.at)
            elif chunk.reason == "rejected":
                heappush(self._refused, chunk.at)
                if len(self._refused) > self._limit:
                    heappop(self._refused)

    @property
    def length(self) -> int:
        """Length of the run, at most `limit`."""
        return sum(at > self._accepted_at for at in self._refused)


@dataclass(frozen=True)
class VerifiedInteraction:
    """Interaction with a genuine tag: a player saw, clicked or closed a push of this chunk."""

    app: str  # that received it: another app's webhook proves nothing about this one's pushes
    tagged: TagClaims
    player: str
    kind: str
    at: datetime
    webhook: Event | None = None  # can be forged with a known tag; None: an authenticated event

    def names_message(self, chunk: Chunk) -> bool | None:
        """Return whether it names the message that the chunk was sent as; None: not known yet."""
        # All who got the push know its tag: one of them could report for the others.
        if self.webhook is None:
            return True
        if not chunk.notification_id:  # of a call without an answer it never will be known
            return True if chunk.is_final else None
        message = str(payload_of(self.webhook, InteractionPayload).get("notificationId")).lower()
        return message == chunk.notification_id.lower()


def verify_interaction(event: Event, tagger: TagSigner) -> VerifiedInteraction | None:
    """Return the interaction; None without a genuine tag, a player or a known kind."""
    payload = payload_of(event, InteractionPayload)
    custom = payload.get("data")
    tagged = tagger.verify(custom.get("carillon") if isinstance(custom, dict) else None)
    player, kind = payload.get("playerID") or event.player_id, payload.get("kind")
    if tagged is None or kind not in INTERACTION_KINDS or not is_uuid(player):
        return None
    return VerifiedInteraction(
        event.app, tagged, str(player).lower(), kind, event.occurred_at, event
    )


def is_known_message(page: Page, seen: VerifiedInteraction) -> bool:
    """Check whether the page knows the message that the interaction may name."""
    index = page.index_of(seen.player)
    chunk = None if index is None else page.chunk_of(index)
    return chunk is None or seen.names_message(chunk) is not None


def is_of_chunk(page: Page, index: int, seen: VerifiedInteraction) -> bool:
    """Check whether the member is of the tagged chunk, or of the chunk that it was split from."""
    chunk = page.chunk_name(index)
    if seen.app != page.app:
        return False
    return chunk != "" and root_of(seen.tagged.chunk) == root_of(chunk)
