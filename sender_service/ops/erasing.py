"""Erase and undo travel as events, so that each service blanks what is its own (DESIGN 4)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Protocol

from sender_service.store.persons import Known
from shared.clock import Clock
from shared.kafka import Outgoing
from shared.models.event import ERASE, UNDO_MERGE, Event
from shared.mongo import Document
from shared.secrets import Vault
from shared.topics import EVENTS


class Writer(Protocol):
    """Publishes, or raises LogUnavailable."""

    async def publish(self, records: Sequence[Outgoing]) -> None: ...


class Eraser:
    """Names in the events are person ids, which are keyed hashes, and keyed hashes of logins: the
    log keeps an event for 30 days, and must not learn from it what it is to forget."""

    def __init__(self, writer: Writer, vault: Vault, clock: Clock) -> None:
        self._writer = writer
        self._vault = vault
        self._clock = clock

    async def erase(self, known: Known) -> list[str]:
        """One event for each visitor id of the person, and for the stand-in of each player, which an
        import would speak as; returns their ids. The first one asks ingest to look for browsers that
        aren't known yet. Raises LogUnavailable."""
        login = known.profile.get("login")
        data: dict[str, Any] = {
            "person": known.profile["_id"],
            "aliases": sorted(known.ids - {known.profile["_id"]}),
            "players": sorted(known.player_ids),
            "loginHash": self._vault.hash_key(login) if login else None,
        }
        stand_ins = [f"os:{player}" for player in data["players"]]
        visitors = dict.fromkeys([*known.visitor_ids, *stand_ins])
        events = [
            self._event(known, ERASE, visitor, {**data, "others": index == 0})
            for index, visitor in enumerate(visitors)
        ]
        await self._publish(events)
        return [event.id for event in events]

    async def undo(self, known: Known, merge: Document) -> str:
        """Raises LogUnavailable."""
        data = {"person": known.profile["_id"], "merge": merge["_id"]}
        event = self._event(known, UNDO_MERGE, str(merge["visitor"]), data)
        await self._publish([event])
        return event.id

    def _event(self, known: Known, kind: str, visitor: str, data: dict[str, Any]) -> Event:
        now = self._clock()
        return Event(
            app=known.profile["app"], id=str(uuid.uuid4()), type=kind, source="ops",
            visitor_id=visitor, occurred_at=now, received_at=now, data=data,
        )  # fmt: skip

    async def _publish(self, events: Sequence[Event]) -> None:
        await self._writer.publish([Outgoing(EVENTS.name, e.key, e.dump(), e.type) for e in events])
