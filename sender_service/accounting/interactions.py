"""Apply deliveries to pages, and match webhooks to sends. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from sender_service.models.push_tag import TagClaims, TagSigner
from sender_service.models.send import EVER
from sender_service.pages.page import (
    FINAL_CHUNK,
    Chunk,
    Page,
    PageEdit,
    outcome_of,
    pending_members,
    root_of,
)
from shared.events.payloads import InteractionPayload
from shared.events.registry import payload_of
from shared.ids import is_uuid, stable_fraction
from shared.models.delivery import Delivery
from shared.models.event import INTERACTION_KINDS, Event
from shared.reasons import DeferredReason

FIRST_BACKOFF_SECONDS = 2.0  # OneSignal's rules for transactional calls: 2, 4, 8 … 60 s
LONGEST_BACKOFF_SECONDS = 60.0
NEVER_CALLED: frozenset[DeferredReason] = frozenset({"not_called", "stopped"})
KINDS = frozenset({"impression", "click", "close"})


def apply(edit: PageEdit, delivery: Delivery) -> None:
    """Apply the delivery; repeated, late and foreign ones change nothing."""
    chunk = edit.page["chunks"].get(delivery.chunk)
    if chunk is None or chunk["state"] in FINAL_CHUNK or chunk["generation"] != delivery.generation:
        return
    if delivery.outcome == "deferred":
        if chunk["state"] == "released" and chunk["release"] == delivery.release:
            _defer(edit, delivery)
        return
    if delivery.reason == "rejected" and _split(edit, delivery):
        return
    for one in delivery.players:
        index = edit.index_of(one.player)
        if index is not None and str(index) not in edit.page["outcomes"]:
            edit.outcome(index, one.outcome, one.reason)
    if delivery.notification_id is not None:
        edit.notification(delivery.notification_id)
    edit.chunk(
        delivery.chunk,
        state=delivery.outcome,
        reason=delivery.reason,
        notificationId=delivery.notification_id,
        at=delivery.at,
    )


def fail_sent(edit: PageEdit, player: str) -> bool:
    """Change the player's outcome from sent to failed; return False unless it is sent."""
    # Before that the call's players must not change.
    index = edit.index_of(player)
    if index is None or outcome_of(edit.page, index)[0] != "sent":
        return False
    edit.outcome(index, "failed", "stream")
    return True


def _split(edit: PageEdit, delivery: Delivery) -> bool:
    """Halve a refused call of several players; return False for one player or too many calls."""
    # So only the players at fault fail. The whole is never called again.
    name = delivery.chunk
    members = pending_members(edit.page, name)
    if len(members) < 2 or not may_split(edit.page, name):
        return False
    whole = edit.page["chunks"][name]
    edit.chunk(name, state="split", reason="rejected", at=delivery.at)
    for part, half in enumerate((members[: len(members) // 2], members[len(members) // 2 :])):
        # The whole's reservation covers its messages: it counts as released before.
        edit.add_chunk(
            f"{name}-{part}",
            {**whole, "state": "planned", "reason": None, "generation": 1, "attempted": False,
             "attempts": 0, "settled": whole["release"],
             "notBefore": delivery.at, "releasedAt": None, "at": None},
        )  # fmt: skip
        for index in half:
            edit.move(index, f"{name}-{part}")
    return True


def may_split(page: Page, chunk: str) -> bool:
    """Check whether two more calls stay within 2·log2(n) + 2, for the n members planned together."""
    root = root_of(chunk)
    members = sum(root_of(member[2]) == root for member in page["members"])
    calls = sum(root_of(name) == root for name in page["chunks"])
    return calls + 2 <= 2 * math.ceil(math.log2(max(members, 2))) + 2


class RefusedRun:
    """Run of calls that OneSignal refused since the last one it accepted of the send.

    Chunks are added in any order. Only the latest `limit` refusals are kept in memory.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._accepted_at = EVER
        self._refused: list[datetime] = []  # a heap: when the latest were refused

    def add(self, chunks: Iterable[Chunk]) -> None:
        for chunk in chunks:
            if chunk["at"] is None:
                continue
            if chunk["state"] == "sent":
                self._accepted_at = max(self._accepted_at, chunk["at"])
            elif chunk["reason"] == "rejected":
                heappush(self._refused, chunk["at"])
                if len(self._refused) > self._limit:
                    heappop(self._refused)

    @property
    def length(self) -> int:
        """Length of the run, at most `limit`."""
        return sum(at > self._accepted_at for at in self._refused)


def _defer(edit: PageEdit, delivery: Delivery) -> None:
    """Plan the chunk again. After a definite refusal its generation rises: the next call is new."""
    chunk = edit.page["chunks"][delivery.chunk]
    not_before = delivery.not_before or delivery.at
    fields: dict[str, Any] = {"state": "planned"}
    if delivery.reason in NEVER_CALLED:
        fields["attempted"] = chunk["attempts"] > 0 or chunk["release"] > chunk["settled"] + 1
        if not fields["attempted"]:
            fields["settled"] = chunk["release"]
    elif delivery.reason == "refused":
        fields |= {"generation": chunk["generation"] + 1, "attempted": False, "ttl": None}
        fields |= {"settled": chunk["release"], "attempts": 0}
    else:
        wait = backoff(chunk["attempts"], edit.page["_id"], delivery.chunk)
        not_before = max(not_before, delivery.at + timedelta(seconds=wait))
        fields["attempts"] = chunk["attempts"] + 1
    edit.chunk(delivery.chunk, **fields, notBefore=not_before)


def backoff(attempts: int, *who: str) -> float:
    """Return the seconds to wait after so many attempts; a chunk's jitter is always the same."""
    longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** min(attempts, 10))
    return longest * (0.5 + stable_fraction("backoff", str(attempts), *who) / 2)


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
        if not chunk["notificationId"]:  # of a call without an answer it never will be known
            return True if chunk["state"] in FINAL_CHUNK else None
        message = str(payload_of(self.webhook, InteractionPayload).get("notificationId")).lower()
        return message == chunk["notificationId"].lower()


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
    index = PageEdit(page, 0).index_of(seen.player)
    return index is None or seen.names_message(chunk_of(page, index)) is not None


def is_of_chunk(page: Page, index: int, seen: VerifiedInteraction) -> bool:
    """Check whether the member is of the tagged chunk, or of the chunk that it was split from."""
    chunk = page["members"][index][2]
    if seen.app != page["app"]:
        return False
    return chunk != "" and root_of(seen.tagged.chunk) == root_of(chunk)


def chunk_of(page: Page, index: int) -> Chunk:
    return page["chunks"][page["members"][index][2]]
