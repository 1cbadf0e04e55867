"""OneSignal's reports of players, in its responses and in Event Streams. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ingest_service.projector.player import StatusChange
from shared.events.payloads import InteractionPayload, StreamPayload
from shared.events.registry import ONESIGNAL_WEBHOOK, STREAM, payload_of
from shared.models.delivery import Delivery
from shared.models.event import Event

INVALID = frozenset({("failed", "invalid_player"), ("suppressed", "invalid")})
ACTIVITY_KINDS = frozenset({"received", "clicked"})  # activity of the player; "sent" is OneSignal's
# Failures that are the subscription's, so that nothing will ever reach it. OneSignal publishes no
# list of its reasons: these are the push services' (404 and 410, FCM's and APNs' names), any others
# may pass, and leave the player as it is.
_FOR_GOOD = re.compile(
    r"unregister|not_?registered|baddevicetoken|(?<![a-z0-9])(gone|404|410)(?![a-z0-9])"
    r"|(invalid|expired|unknown|missing)_(push_)?(token|registration|subscription|identifier|endpoint)"
    r"|(token|registration|subscription|endpoint|identifier)(_is|_has)?_(invalid|expired|not_found)"
)
MAX_REASON = 64


@dataclass(frozen=True)
class PlayerReport:
    app: str
    player: str
    state: Literal["invalid", "unsubscribed"]
    reason: str
    at: datetime
    event: str
    is_news: bool = (
        True  # of a player that we knew to be invalid, and therefore left out, it is not
    )

    def status_change(self) -> StatusChange:
        return StatusChange(self.state, self.reason, None, self.at, self.event)


def reports_of_delivery(delivery: Delivery) -> Iterator[PlayerReport]:
    """Yield a report of each player that OneSignal no longer knows."""
    name = f"{delivery.send}.{delivery.page}.{delivery.chunk}:{delivery.generation}"
    for player in delivery.players:
        if (player.outcome, player.reason) in INVALID:
            yield PlayerReport(
                delivery.app, player.player, "invalid", str(player.reason), delivery.at, name,
                is_news=player.outcome == "failed",
            )  # fmt: skip


def report_of_stream(event: Event) -> PlayerReport | None:
    """Return the report of an Event Streams event, None if it doesn't change the player's state."""
    payload = payload_of(event, StreamPayload)
    player, kind = payload.player_id or event.player_id, payload.kind
    reason = _plain(payload.reason or "")
    if player is None:
        return None
    if kind == "unsubscribed" or (kind == "failed" and "unsubscribed" in reason):
        why = reason or "unsubscribed"
        return PlayerReport(event.app, player, "unsubscribed", why, event.occurred_at, event.id)
    if kind == "failed" and _FOR_GOOD.search(reason):
        return PlayerReport(event.app, player, "invalid", reason, event.occurred_at, event.id)
    return None


def active_player(event: Event) -> str | None:
    """Return the player whose activity the event proves, if any."""
    if event.type == ONESIGNAL_WEBHOOK:
        return payload_of(event, InteractionPayload).get("playerID") or event.player_id
    if event.type != STREAM:
        return None
    payload = payload_of(event, StreamPayload)
    return payload.player_id or event.player_id if payload.kind in ACTIVITY_KINDS else None


def _plain(reason: str) -> str:
    """Return a reason in snake case: `Not Registered` and `not-registered` as `not_registered`."""
    return re.sub(r"[\s\-]+", "_", reason.strip().lower())[:MAX_REASON]
