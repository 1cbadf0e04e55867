"""Erasures that reach browsers whom the operator couldn't name: on the log still, spooled, or imported.

An erasure leaves a tombstone for its person. A browser that has something of that person from before
the erasure gets an erasure of its own, as an event on the log: so it has its place in that browser's
order, and a replay does the same. Each writes first and reads then (the tombstone, and the browsers;
the browser, and the tombstones): whoever is the later one sees the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from ingest_service.projector.ledger import named_players
from ingest_service.projector.lww import Document
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.store import Projections
from ingest_service.projector.visitor import STAND_IN, Visitor
from shared.ids import derived_id
from shared.models.event import ERASE, IMPORT, Event

Tell = Callable[[Sequence[Event]], Awaitable[None]]  # raises LogUnavailable


class LateErasures:
    """Without `tell` (a replay) only tombstones are kept: what follows is on the log already."""

    def __init__(
        self, store: Projections, people: PersonIds, tell: Tell | None, at_once: int
    ) -> None:
        """`at_once`: so many events are told of together, of a person with any number of browsers."""
        self._store = store
        self._people = people
        self._tell = tell
        self._at_once = at_once

    async def propagate(self, events: Sequence[Event], visitors: Mapping[str, Visitor]) -> None:
        """After the batch's browsers are written. `visitors`: by name. Raises Unavailable."""
        erasures = [event for event in events if event.type == ERASE]
        await self._store.save_tombstones([_tombstone(event) for event in erasures])
        if self._tell is None:
            return
        told: list[Event] = []
        for event in erasures:
            told += self._of_stand_ins(event, visitors[self._name(event)])
            if event.data.get("others"):
                await self._tell_of_others(event, self._tell)
        told += await self._of_late(events, visitors)
        if told:
            await self._tell(list({event.id: event for event in told}.values()))

    async def _tell_of_others(self, event: Event, tell: Tell) -> None:
        """In pieces, as they are read: cut off between two, all are told of again, as the same."""
        tombstone = _tombstone(event)
        told: list[Event] = []
        async for state in self._store.browsers_of_person(tombstone["_id"]):
            told += self._of_browser(tombstone, state)
            if len(told) >= self._at_once:
                await tell(told)
                told = []
        if told:
            await tell(told)

    async def _of_late(
        self, events: Sequence[Event], visitors: Mapping[str, Visitor]
    ) -> list[Event]:
        joined: dict[str, set[str]] = {}
        for event in events:
            if event.type in ("identify", IMPORT) and event.data.get("login"):
                person = self._people.of_login(event.app, str(event.data["login"]))
                joined.setdefault(person, set()).add(self._name(event))
        tombstones = await self._store.tombstones(joined)
        return [
            e
            for person, tombstone in tombstones.items()
            for name in sorted(joined[person])
            for e in self._of_browser(tombstone, visitors[name].state)
        ]

    def _of_browser(self, tombstone: Document, state: Document) -> list[Event]:
        if state["visitor"] is None or not self._has_older(
            state, tombstone["_id"], tombstone["at"]
        ):
            return []
        return [_erasure(tombstone, str(state["visitor"]))]

    def _has_older(self, state: Document, person: str, at: datetime) -> bool:
        mine = Visitor(state, self._people)
        return any(
            mine.person_of(epoch) == person and epoch["part"].get("firstSeenAt", at) <= at
            for epoch in state["epochs"]
        )

    def _of_stand_ins(self, event: Event, visitor: Visitor) -> list[Event]:
        """An export from before may name the players of a browser that the operator didn't know."""
        if str(event.visitor_id).startswith(STAND_IN):
            return []
        erased = {str(entry["id"]) for entry in visitor.state["erased"]["players"]}
        unnamed = sorted(erased - set(named_players(event.data)))
        return [_erasure(_tombstone(event), f"{STAND_IN}{player}") for player in unnamed]

    def _name(self, event: Event) -> str:
        return self._people.of_browser(event.app, str(event.visitor_id))


def _tombstone(event: Event) -> Document:
    data = event.data
    return {
        "_id": data["person"], "app": event.app, "at": event.occurred_at,
        "loginHash": data.get("loginHash"),
    }  # fmt: skip


def _erasure(tombstone: Document, visitor: str) -> Event:
    """The same one whoever derives it, however often."""
    app, person, at = tombstone["app"], tombstone["_id"], tombstone["at"]
    data = {"person": person, "players": [], "aliases": [], "late": True}
    return Event(
        app=app, id=derived_id("erase", app, person, at.isoformat(), visitor), type=ERASE,
        source="ops", visitor_id=visitor, occurred_at=at, received_at=at,
        data={**data, "loginHash": tombstone.get("loginHash")},
    )  # fmt: skip
