"""Players that a browser reports, with its last status of each. Pure."""

from __future__ import annotations

from typing import Any

from ingest_service.projector.lww import Document, latest_per_key, stamped
from ingest_service.projector.proof import carry_proof, prove
from shared.models.event import Event

MAX_PLAYERS = 20


def add_player(
    players: list[Document], event: Event, *, proven: bool
) -> tuple[list[Document], Document]:
    """Return the players with the event's player, and the event's status of it.

    `proven` is whether the event or the browser's login is.
    """
    context = event.context or {}
    status: dict[str, Any] = stamped(
        event,
        id=event.data["playerID"],
        status=event.data["status"],
        state=event.data["state"],
        reason=event.data.get("reason"),
        permission=event.data.get("permission"),
        sdk=context.get("sdk"),
        browser=context.get("browser"),
    )
    old = next((entry for entry in players if entry["id"] == status["id"]), None)
    found = latest_per_key([*players, dict(status)], by="id", limit=MAX_PLAYERS)
    for entry in found:
        if entry["id"] == status["id"]:
            carry_proof(old, entry)
            if proven:
                prove(event, [entry])
    return found, status
