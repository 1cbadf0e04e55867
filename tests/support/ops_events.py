"""The events of operators, of OneSignal's streams and of imports, to be applied to a history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.events.registry import ERASE, IMPORT, STREAM, UNDO_MERGE
from shared.models.event import Event
from tests.support.projector_doubles import APP, START, event


def erasure(visitor: str, number: int, person: str, *players: str, **more: Any) -> Event:
    erasure = event(ERASE, visitor, number, person=person, players=list(players), **more)
    return erasure.model_copy(update={"source": "ops"})


def undoing(visitor: str, number: int, merge: str | list[str], **more: Any) -> Event:
    erasure = event(UNDO_MERGE, visitor, number, merge=merge, **more)
    return erasure.model_copy(update={"source": "ops"})


def imported(player: str, number: int, visitor: str | None = None, **data: Any) -> Event:
    data = {"status": "subscribed", "state": "subscribed"} | data
    erasure = event(IMPORT, visitor or f"os:{player}", number, playerID=player, **data)
    return erasure.model_copy(update={"source": "import"})


def streamed(player: str, number: int, kind: str, reason: str | None = None) -> Event:
    at = START + timedelta(seconds=number)
    return Event(
        app=APP, id=f"stream-{player}-{number}", type=STREAM, source="stream", player_id=player,
        occurred_at=at, received_at=at, data={"kind": kind, "playerID": player, "reason": reason},
    )  # fmt: skip
