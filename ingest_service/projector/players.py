"""Players that a browser reports, with its last status of each. Pure."""

from __future__ import annotations

from operator import attrgetter

from ingest_service.projector.player import PlayerStatus
from ingest_service.projector.proof import last_proof, prove
from shared.events.payloads import StatusPayload
from shared.events.registry import payload_of
from shared.models.event import Event

MAX_PLAYERS = 20


def add_player(
    players: list[PlayerStatus], event: Event, *, proven: bool
) -> tuple[list[PlayerStatus], PlayerStatus]:
    """Return the players with the event's player, latest status first, and the event's status of it.

    `proven` is whether the event or the browser's login is.
    """
    status = _status(event)
    old = next((one for one in players if one.id == status.id), None)
    last = status if old is None or status.stamp > old.stamp else old
    if old is not None:
        last.proof = last_proof(old.proof, last.proof)
    if proven:
        prove(event, [last])
    others = [one for one in players if one is not old]
    return sorted([*others, last], key=attrgetter("stamp"), reverse=True)[:MAX_PLAYERS], status


def _status(event: Event) -> PlayerStatus:
    payload, context = payload_of(event, StatusPayload), event.context or {}  # an import's too
    return PlayerStatus(
        payload["playerID"],
        payload["status"],
        payload["state"],
        payload.get("reason"),
        payload.get("permission"),
        context.get("sdk"),
        context.get("browser"),
        event.occurred_at,
        event.id,
        event.received_at,
        event.offset,
    )
