"""The players that a browser speaks of: its last word on each. Pure."""

from __future__ import annotations

from typing import Any

from ingest_service.projector.lww import Document, latest_per_key, stamped
from ingest_service.projector.proof import carry_proof, prove
from shared.models.event import Event

MAX_PLAYERS = 20


def hold(players: list[Document], event: Event, *, proven: bool) -> tuple[list[Document], Document]:
    """Return the players with the event's, and the event's word. `proven`: it, or the browser is."""
    context = event.context or {}
    told = {n: event.data.get(n) for n in ("reason", "permission")}
    word: dict[str, Any] = stamped(
        event,
        id=event.data["playerID"],
        status=event.data["status"],
        state=event.data["state"],
        reason=told["reason"],
        permission=told["permission"],
        sdk=context.get("sdk"),
        browser=context.get("browser"),
    )
    old = next((entry for entry in players if entry["id"] == word["id"]), None)
    found = latest_per_key([*players, dict(word)], by="id", limit=MAX_PLAYERS)
    for entry in found:
        if entry["id"] == word["id"]:
            carry_proof(old, entry)
            if proven:
                prove(event, [entry])
    return found, word
