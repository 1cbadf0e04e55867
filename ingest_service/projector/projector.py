"""The stage: a batch of events becomes visitors, players and profiles, in this order.

Visitors are written first and remember the events; what follows from them is written after. A crash
between two writes leaves the batch uncommitted: delivered again, its events are known to the
visitors, and everything that follows is derived once more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ingest_service.projector.burial import Burials, Tell
from ingest_service.projector.decode import OF_PLAYERS, Projected, decode
from ingest_service.projector.ledger import Ledger, named_players
from ingest_service.projector.material import Found, Material
from ingest_service.projector.people import PersonIds
from ingest_service.projector.profile import BOUNDS, Bounds, fold_profile, settle
from ingest_service.projector.reports import SEEN, Report, of_delivery, of_stream, stream_player
from ingest_service.projector.sets import Document
from ingest_service.projector.store import Ended, Projections
from ingest_service.projector.visitor import Visitor, new_visitor
from shared.clock import Clock
from shared.dead_letters import Poison
from shared.models.delivery import Delivery
from shared.models.event import ERASE, ONESIGNAL_WEBHOOK, STREAM, Event
from shared.stage import Item, StageSpec
from shared.topics import DELIVERIES, EVENTS, PROJECTOR

log = logging.getLogger("carillon.projector")

BATCH_RECORDS = 200  # on the embedded store about half a second's work


class Projector:
    """Handles batches; everything it knows between two of them is in the store."""

    def __init__(
        self,
        store: Projections,
        people: PersonIds,
        clock: Clock,
        tell: Tell | None = None,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._burials = Burials(store, people, tell, bounds.read)
        self._store = store
        self._people = people
        self._clock = clock
        self._bounds = bounds
        self._material = Material(store, people, bounds)

    def spec(self, drain_seconds: float) -> StageSpec[Projected]:
        return StageSpec(
            name="projector",
            group=PROJECTOR,
            topics=(EVENTS.name, DELIVERIES.name),
            decode=decode,
            handle=self.handle,
            batch_records=BATCH_RECORDS,
            drain_seconds=drain_seconds,
        )

    async def handle(self, items: Sequence[Item[Projected]]) -> Sequence[Poison]:
        """Raises StoreUnavailable, to be tried again."""
        events = [item.value for item in items if isinstance(item.value, Event)]
        deliveries = [item.value for item in items if isinstance(item.value, Delivery)]
        erases = any(event.type == ERASE for event in events)
        if erases:
            await self._store.note_erasure()  # before it is done: snapshots from before must go
        of_browsers = [e for e in events if e.type not in OF_PLAYERS]
        visitors = await self._fold_visitors(of_browsers)
        reports = list(_reports(events, deliveries))
        # Beside the write, which takes longest. Nothing is lost by reading before it: what somebody
        # else writes meanwhile makes our own conditional write fail, and the batch is repeated.
        _, players, profiles = await asyncio.gather(
            self._save_visitors(visitors),
            self._store.players(_named(visitors, events, reports)),
            self._store.profiles({person for v in visitors for person in v.touched}),
        )
        await self._burials.follow(of_browsers, {v.state["_id"]: v for v in visitors})
        ledger = await self._fold_players(players, visitors, events, reports)
        await self._fold_profiles(profiles, visitors, ledger)
        if erases:
            await self._store.note_erasure()  # and those that were begun meanwhile
        for event in events:
            ids = {"event": event.id, "app": event.app, "type": event.type}
            log.debug("event projected", extra=ids)
        return ()

    async def _fold_visitors(self, events: Sequence[Event]) -> list[Visitor]:
        firsts = {self._name(event): event for event in events}
        known = await self._store.visitors(firsts)
        visitors = {
            name: Visitor(
                known.get(name) or new_visitor(name, e.app, str(e.visitor_id)), self._people
            )
            for name, e in firsts.items()
        }
        for event in events:
            visitors[self._name(event)].apply(event)
        return list(visitors.values())

    async def _save_visitors(self, visitors: Sequence[Visitor]) -> None:
        await self._store.save_visitors([v.state for v in visitors if v.changed])
        await self._store.save_merges(
            [m for v in visitors for m in v.merges()],
            gone={person for v in visitors for person in v.gone()},
            ended=_ended(visitors),
        )

    async def _fold_players(
        self,
        known: dict[str, Document],
        visitors: Sequence[Visitor],
        events: Sequence[Event],
        reports: Sequence[Report],
    ) -> Ledger:
        ledger = Ledger(known, self._clock())
        for visitor in visitors:
            if visitor.erasures:
                ledger.erase(visitor)
            ledger.claim(visitor)
        for told in reports:
            ledger.report(told)
        for event, player in _seen(events):
            ledger.see(event.app, player, event.occurred_at)
        await self._store.save_players(ledger.changed)
        return ledger

    async def _fold_profiles(
        self, known: Found, visitors: Sequence[Visitor], ledger: Ledger
    ) -> None:
        """Profiles are read before what they are folded from, so that a race is noticed. `known`: those
        that the visitors touch, as far as there are any."""
        by_app: dict[str, set[str]] = defaultdict(set)
        for visitor in visitors:
            by_app[visitor.state["app"]] |= visitor.touched
        asked = set().union(*by_app.values())
        changed: list[Document] = []
        emptied: list[Document] = []
        for app, person in ledger.touched:
            by_app[app].add(person)
        for app, people in by_app.items():
            existing = {person: known[person] for person in people & known.keys()}
            existing |= await self._store.profiles(people - asked)
            states = await self._material.browsers(app, people, existing, visitors)
            players = await self._material.players(app, people, existing, ledger)
            folded = self._fold(people, states, players)
            now = self._clock()
            settled = [settle(existing.get(p["_id"]), p, now) for p in folded]
            kept = {profile["_id"] for profile in folded}
            changed += [profile for profile in settled if profile is not None]
            emptied += [profile for name, profile in existing.items() if name not in kept]
        await self._store.save_profiles(changed, emptied)

    def _fold(self, people: set[str], states: Found, players: Found) -> list[Document]:
        members: dict[str, list[Visitor]] = defaultdict(list)
        for state in states.values():
            for person in people.intersection(state["people"]):
                members[person].append(Visitor(state, self._people))
        owned: dict[str, list[Document]] = defaultdict(list)
        for player in players.values():
            owned[player["person"]].append(player)
        folded = (fold_profile(p, members[p], owned[p], self._bounds) for p in sorted(people))
        return [profile for profile in folded if profile is not None]

    def _name(self, event: Event) -> str:
        return self._people.of_browser(event.app, str(event.visitor_id))


def _ended(visitors: Iterable[Visitor]) -> list[Ended]:
    """The last of several times is of all of them."""
    last: dict[tuple[str, str], datetime] = {}
    for visitor in visitors:
        for person, until in visitor.ended():
            who = (visitor.state["app"], person)
            last[who] = max(until, last.get(who, until))
    return [Ended(app, person, until) for (app, person), until in last.items()]


def _named(
    visitors: Iterable[Visitor], events: Iterable[Event], reports: Iterable[Report]
) -> set[str]:
    """All players that the batch is about."""
    named = {player for visitor in visitors for player in _players_of(visitor)}
    named |= {told.player for told in reports}
    return named | {player for _, player in _seen(events)}


def _players_of(visitor: Visitor) -> set[str]:
    held = {str(entry["id"]) for entry in visitor.state["players"]}
    if visitor.erasures:
        held |= {str(entry["id"]) for entry in visitor.state["erased"]["players"]}
        held |= {player for event in visitor.erasures for player in named_players(event.data)}
    return held


def _reports(events: Iterable[Event], deliveries: Iterable[Delivery]) -> Iterable[Report]:
    for delivery in deliveries:
        yield from of_delivery(delivery)
    for event in events:
        told = of_stream(event) if event.type == STREAM else None
        if told is not None:
            yield told


def _seen(events: Iterable[Event]) -> Iterator[tuple[Event, str]]:
    """Signs of life, and whose."""
    for event in events:
        if event.type == STREAM:
            is_sign = event.data.get("kind") in SEEN
        else:
            is_sign = event.type == ONESIGNAL_WEBHOOK
        player = stream_player(event) if is_sign else None
        if player:
            yield event, player
