"""Transitions of a page after a call: what a delivery changes. Pure."""

from __future__ import annotations

import math
from datetime import timedelta

from sender_service.pages.chunk import root_of
from sender_service.pages.page import Page
from shared.ids import stable_fraction
from shared.models.delivery import Delivery
from shared.reasons import DeferredReason

FIRST_BACKOFF_SECONDS = 2.0  # a provider's rules for transactional calls: 2, 4, 8 … 60 s
LONGEST_BACKOFF_SECONDS = 60.0
NEVER_CALLED: frozenset[DeferredReason] = frozenset({"not_called", "stopped"})


def apply(page: Page, delivery: Delivery) -> None:
    """Apply the delivery; repeated, late and foreign ones change nothing."""
    chunk = page.chunks.get(delivery.chunk)
    if chunk is None or chunk.is_final or chunk.generation != delivery.generation:
        return
    if delivery.outcome == "deferred":
        if chunk.releases == delivery.release:
            _defer(page, delivery)
        return
    if delivery.reason == "rejected" and _split(page, delivery):
        return
    for one in delivery.players:
        index = page.index_of(one.player)
        if index is not None and not page.has_own_outcome(index):
            page.end_member(index, one.outcome, one.reason)
    if delivery.notification_id is not None:
        page.add_notification(delivery.notification_id)
    chunk = page.change_chunk(delivery.chunk)
    chunk.end(delivery.outcome, delivery.final_reason, delivery.at, delivery.notification_id)


def fail_sent(page: Page, player: str) -> bool:
    """Change the player's outcome from sent to failed; return False unless it is sent."""
    # Before that the call's players must not change.
    index = page.index_of(player)
    if index is None or page.outcome(index)[0] != "sent":
        return False
    page.fail(index, "stream")
    return True


def _split(page: Page, delivery: Delivery) -> bool:
    """Halve a refused call of several players; return False for one player or too many calls."""
    # So only the players at fault fail. The whole is never called again.
    members = page.pending(delivery.chunk)
    if len(members) < 2 or not may_split(page, delivery.chunk):
        return False
    half = len(members) // 2
    page.split(delivery.chunk, (members[:half], members[half:]), delivery.at)
    return True


def may_split(page: Page, chunk: str) -> bool:
    """Check whether two more calls stay within 2·log2(n) + 2, for the n members planned together."""
    root = root_of(chunk)
    members = sum(root_of(name) == root for _, _, name in page.members)
    calls = sum(root_of(name) == root for name in page.chunks)
    return calls + 2 <= 2 * math.ceil(math.log2(max(members, 2))) + 2


def _defer(page: Page, delivery: Delivery) -> None:
    """Plan the chunk again. After a definite refusal its generation rises: the next call is new."""
    chunk = page.chunks[delivery.chunk]
    if chunk.state != "released":  # answered, or postponed to the morning without an answer
        if chunk.is_attempted and delivery.reason in NEVER_CALLED:
            page.change_chunk(delivery.chunk).return_uncalled()
        return
    chunk = page.change_chunk(delivery.chunk)
    not_before = delivery.not_before or delivery.at
    if delivery.reason in NEVER_CALLED:
        chunk.return_uncalled()
    elif delivery.reason == "refused":
        chunk.renew()
    else:
        wait = backoff(chunk.attempts, page.id, delivery.chunk)
        not_before = max(not_before, delivery.at + timedelta(seconds=wait))
        chunk.count_attempt()
    chunk.postpone(not_before)


def backoff(attempts: int, *who: str) -> float:
    """Return the seconds to wait after so many attempts; a chunk's jitter is always the same."""
    longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** min(attempts, 10))
    return longest * (0.5 + stable_fraction("backoff", str(attempts), *who) / 2)
