"""The stage: a batch of events becomes visitors, players and profiles, in this order.

Visitors are written first and remember the events; what follows from them is written after. A crash
between two writes leaves the batch uncommitted: delivered again, its events are known to the
visitors, and everything that follows is derived once more.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from ingest_service.projector.ledger import Ledger
from ingest_service.projector.people import PersonIds
from ingest_service.projector.profile import fold_profile, settle
from ingest_service.projector.sets import Document
from ingest_service.projector.store import Projections
from ingest_service.projector.visitor import Visitor, new_visitor, visitor_key
from shared.clock import Clock
from shared.dead_letters import Poison
from shared.errors import InvalidPayload
from shared.kafka import Record
from shared.models.delivery import Delivery
from shared.models.event import ONESIGNAL_WEBHOOK, RESERVED_PREFIX, Event
from shared.stage import Item, StageSpec
from shared.topics import DELIVERIES, EVENTS, PROJECTOR

log = logging.getLogger("carillon.projector")

BATCH_RECORDS = 200  # on the embedded store about half a second's work
INVALID = frozenset({("failed", "invalid_player"), ("suppressed", "invalid")})

Projected = Event | Delivery


def decode(record: Record) -> Projected | None:
    """Raises InvalidPayload for what can't be an event or a delivery."""
    if record.topic == DELIVERIES.name:
        return Delivery.parse(record.value)
    if record.type.startswith(RESERVED_PREFIX):
        return None
    event = Event.parse(record.value)
    if event.visitor_id is None and event.type != ONESIGNAL_WEBHOOK:
        raise InvalidPayload("visitorId: an event needs its visitor", code="no_visitor")
    return event


class Projector:
    """Handles batches; everything it knows between two of them is in the store."""

    def __init__(self, store: Projections, people: PersonIds, clock: Clock) -> None:
        self._store = store
        self._people = people
        self._clock = clock

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
        visitors = await self._fold_visitors([e for e in events if e.visitor_id is not None])
        ledger = await self._fold_players(visitors, events, deliveries)
        touched = {(v.state["app"], person) for v in visitors for person in v.touched}
        await self._fold_profiles(touched | ledger.touched)
        for event in events:
            ids = {"event": event.id, "app": event.app, "type": event.type}
            log.debug("event projected", extra=ids)
        return ()

    async def _fold_visitors(self, events: Sequence[Event]) -> list[Visitor]:
        firsts = {_visitor_of(event): event for event in events}
        known = await self._store.visitors(firsts)
        visitors = {
            name: Visitor(known.get(name) or new_visitor(e.app, str(e.visitor_id)), self._people)
            for name, e in firsts.items()
        }
        for event in events:
            visitors[_visitor_of(event)].apply(event)
        await self._store.save_visitors([v.state for v in visitors.values() if v.changed])
        await self._store.save_merges([m for v in visitors.values() for m in v.merges()])
        return list(visitors.values())

    async def _fold_players(
        self, visitors: Sequence[Visitor], events: Iterable[Event], deliveries: Iterable[Delivery]
    ) -> Ledger:
        held = {entry["id"] for v in visitors for entry in v.state["players"]}
        refused = list(_refused(deliveries))
        seen = [(e, e.player_id) for e in events if e.type == ONESIGNAL_WEBHOOK and e.player_id]
        named = held | {player for _, player, _ in refused} | {player for _, player in seen}
        ledger = Ledger(await self._store.players(named), self._clock())
        for visitor in visitors:
            ledger.claim(visitor)
        for delivery, player, reason in refused:
            ledger.invalidate(delivery.app, player, delivery.at, reason)
        for event, player in seen:
            ledger.see(event.app, player, event.occurred_at)
        await self._store.save_players(ledger.changed)
        return ledger

    async def _fold_profiles(self, touched: Iterable[tuple[str, str]]) -> None:
        """Profiles are read before what they are folded from, so that a race is noticed."""
        by_app: dict[str, set[str]] = defaultdict(set)
        for app, person in touched:
            by_app[app].add(person)
        for app, people in by_app.items():
            existing = await self._store.profiles(people)
            folded = await self._fold(app, people)
            now = self._clock()
            settled = [settle(existing.get(p["_id"]), p, now) for p in folded]
            kept = {profile["_id"] for profile in folded}
            await self._store.save_profiles(
                [profile for profile in settled if profile is not None],
                emptied=[profile for name, profile in existing.items() if name not in kept],
            )

    async def _fold(self, app: str, people: set[str]) -> list[Document]:
        members: dict[str, list[Visitor]] = defaultdict(list)
        for state in (await self._store.visitors_of(people)).values():
            for person in people.intersection(state["people"]):
                members[person].append(Visitor(state, self._people))
        players: dict[str, list[Document]] = defaultdict(list)
        for player in (await self._store.players_of(app, people)).values():
            players[player["person"]].append(player)
        folded = (fold_profile(p, members[p], players[p]) for p in sorted(people))
        return [profile for profile in folded if profile is not None]


def _visitor_of(event: Event) -> str:
    return visitor_key(event.app, str(event.visitor_id))


def _refused(deliveries: Iterable[Delivery]) -> Iterator[tuple[Delivery, str, str]]:
    """(delivery, player, reason) of each player that OneSignal no longer knows."""
    for delivery in deliveries:
        for told in delivery.players:
            if (told.outcome, told.reason) in INVALID:
                yield delivery, told.player, str(told.reason)
