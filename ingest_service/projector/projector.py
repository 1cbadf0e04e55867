"""The projector's stage: a batch of events becomes visitors, players and profiles, in this order.

Visitors are written first, with the ids of their events, and derived documents after. A crash between
two writes leaves the batch uncommitted. When it is delivered again, the visitors know its events, and all
derived documents are derived once more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence

from ingest_service.projector.browser import Browser
from ingest_service.projector.decode import Projected, decode
from ingest_service.projector.late_erasures import LateErasures, Publish
from ingest_service.projector.ledger import Ledger, fold_players
from ingest_service.projector.moments import BatchMoments, PublishMoments
from ingest_service.projector.named import activity_in, erased_merges_in, named_in, reports_in
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.player import LedgerEntry
from ingest_service.projector.profile import (
    BOUNDS,
    ProfileLimits,
    changed_document,
    choose_browsers,
    fold_profile,
)
from ingest_service.projector.profile_inputs import Browsers, ProfileInputs, Profiles
from ingest_service.projector.store import Projections
from ingest_service.projector.visitor import Visitor
from shared.clock import Clock
from shared.documents.profile import Profile
from shared.events.registry import ERASE, PROVIDER_REPORTS
from shared.kafka.topics import DELIVERIES_TOPIC, EVENTS_TOPIC, PROJECTOR_GROUP
from shared.models.delivery import Delivery
from shared.models.event import Event
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, StageSpec

log = logging.getLogger("carillon.projector")

PROJECTOR_BATCH_RECORDS = 200  # on the embedded store about half a second's work
# Of the documents that are in memory together, as stored; as objects they are up to ten times as large.
VISITOR_BYTES = 4 * 1024 * 1024
PROFILE_BYTES = 1024 * 1024


class Projector:
    """The handler of batches; all its state between two batches is in the store."""

    def __init__(
        self,
        store: Projections,
        people: PersonIds,
        clock: Clock,
        publish: Publish | None = None,
        bounds: ProfileLimits = BOUNDS,
        *,
        publish_moments: PublishMoments | None = None,
    ) -> None:
        self._publish_moments = publish_moments
        self._late_erasures = LateErasures(store, people, publish, bounds.read)
        self._store = store
        self._people = people
        self._clock = clock
        self._bounds = bounds
        self._inputs = ProfileInputs(store, people, bounds)

    def spec(self, drain_seconds: float) -> StageSpec[Projected]:
        return StageSpec(
            name="projector",
            group=PROJECTOR_GROUP,
            topics=(EVENTS_TOPIC.name, DELIVERIES_TOPIC.name),
            decode=decode,
            handle=self.handle,
            batch_records=PROJECTOR_BATCH_RECORDS,
            drain_seconds=drain_seconds,
        )

    async def handle(self, items: Sequence[Item[Projected]]) -> Sequence[Poison]:
        """Project a batch, then publish its moments. Raises Unavailable: the batch is to be repeated."""
        events = [item.value for item in items if isinstance(item.value, Event)]
        deliveries = [item.value for item in items if isinstance(item.value, Delivery)]
        erases = any(event.type == ERASE for event in events)
        if erases:
            await self._store.note_erasure()  # before the work: older snapshots become stale
        moments = BatchMoments(self._publish_moments)
        left = events
        while left or deliveries:
            left = await self._project(left, deliveries, moments)
            deliveries = []
        if erases:
            await self._store.note_erasure()  # and those that were begun meanwhile too
        await moments.publish()
        for event in events:
            ids = {"event": event.id, "app": event.app, "type": event.type}
            log.debug("event projected", extra=ids)
        return ()

    async def _project(
        self, events: Sequence[Event], deliveries: Sequence[Delivery], moments: BatchMoments
    ) -> list[Event]:
        """Project the events whose browsers fit into bounded memory; return the others.

        The events of each browser stay in order; between browsers order makes no difference.
        """
        browsers, events, left = await self._fold_browsers(events)
        of_browsers = [e for e in events if e.type not in PROVIDER_REPORTS]
        reports, activity = list(reports_in(events, deliveries)), list(activity_in(events))
        # Beside the write, which takes longest. Reading before it is safe: a document that another
        # process writes meanwhile makes the conditional write fail, and the batch is repeated.
        _, players, (profiles, unread) = await asyncio.gather(
            self._save_visitors(browsers),
            self._store.players(named_in(browsers, reports, activity)),
            self._store.profiles_within(
                {person for b in browsers for person in b.affected}, PROFILE_BYTES
            ),
        )
        by_name = {browser.visitor.id: browser for browser in browsers}
        await self._late_erasures.propagate(of_browsers, by_name, players)
        ledger = fold_players(players, browsers, reports, activity, self._clock())
        await self._store.save_players(ledger.changed)
        with_browsers = [(event, by_name[self._name(event)]) for event in of_browsers]
        moments.add_facts(with_browsers, ledger.players)
        async for stored in self._fold_profiles(profiles, unread, browsers, ledger):
            moments.note_profiles(stored)
        return left

    async def _fold_browsers(
        self, events: Sequence[Event]
    ) -> tuple[list[Browser], list[Event], list[Event]]:
        """Return the folded browsers, the events handled with them, and the events left for later."""
        firsts = {self._name(e): e for e in events if e.type not in PROVIDER_REPORTS}
        known, unread = await self._store.visitors_within(firsts, VISITOR_BYTES)
        browsers = {
            name: Browser(known.get(name) or Visitor(name, e.app, e.visitor_id), self._people)
            for name, e in firsts.items()
            if name not in unread
        }
        folded: list[Event] = []
        left: list[Event] = []
        for event in events:
            name = None if event.type in PROVIDER_REPORTS else self._name(event)
            if name is not None and name in browsers:
                browsers[name].apply(event)
            (folded if name is None or name in browsers else left).append(event)
        return list(browsers.values()), folded, left

    async def _save_visitors(self, browsers: Sequence[Browser]) -> None:
        await self._store.save_visitors([b.visitor for b in browsers if b.changed])
        await self._store.save_merges(
            [merge for b in browsers for merge in b.merges()],
            erased_persons={person for b in browsers for person in b.erased_persons()},
            erased_merges=erased_merges_in(browsers),
        )

    async def _fold_profiles(
        self, known: Profiles, unread: set[str], browsers: Sequence[Browser], ledger: Ledger
    ) -> AsyncIterator[list[Profile]]:
        """Fold and save the affected profiles, in parts that fit into bounded memory; yield each part.

        `known` are the profiles of persons that the browsers affect, except the `unread` ones.
        """
        # Profiles are read before their inputs, so that a race is detected.
        affected: dict[str, set[str]] = defaultdict(set)
        for browser in browsers:
            affected[browser.visitor.app] |= browser.affected
        read = set().union(*affected.values()) - unread
        for app, person in ledger.affected:
            affected[app].add(person)
        waiting = set().union(*affected.values()) - read
        if waiting:
            more, unread = await self._store.profiles_within(waiting, PROFILE_BYTES)
            known, read, waiting = {**known, **more}, read | (waiting - unread), unread
        while read:
            yield await self._fold_some(
                {app: people & read for app, people in affected.items()}, known, browsers, ledger
            )
            known, unread = await self._store.profiles_within(waiting, PROFILE_BYTES)
            read, waiting = waiting - unread, unread

    async def _fold_some(
        self,
        by_app: Mapping[str, set[str]],
        known: Profiles,
        browsers: Sequence[Browser],
        ledger: Ledger,
    ) -> list[Profile]:
        """Fold and save the profiles of one part of the persons; return them all, changed or not."""
        whole: list[Profile] = []
        changed: list[Profile] = []
        emptied: list[Profile] = []
        for app, people in by_app.items():
            existing = {person: known[person] for person in people & known.keys()}
            members = await self._inputs.browsers(app, people, existing, browsers)
            players = await self._inputs.players(app, people, existing, ledger)
            own = {browser.visitor.id for browser in browsers}
            folded = await self._fold(people, members, players, own)
            now = self._clock()
            documents = [changed_document(existing.get(p["_id"]), p, now) for p in folded]
            kept = {profile["_id"] for profile in folded}
            changed += [profile for profile in documents if profile is not None]
            emptied += [profile for name, profile in existing.items() if name not in kept]
            whole += folded
        await self._store.save_profiles(changed, emptied)
        return whole

    async def _fold(
        self,
        people: set[str],
        browsers: Browsers,
        players: Mapping[str, LedgerEntry],
        own: set[str],
    ) -> list[Profile]:
        members: dict[str, list[Browser]] = defaultdict(list)
        for browser in browsers.values():
            for person in people.intersection(browser.visitor.persons):
                members[person].append(browser)
        owned: dict[str, list[LedgerEntry]] = defaultdict(list)
        for entry in players.values():
            owned[entry.person].append(entry)
        bounds = self._bounds
        chosen = {p: choose_browsers(p, members[p], bounds) for p in sorted(people)}
        wholes = await self._inputs.wholes(chosen, own)
        folded = (fold_profile(p, chosen[p], owned[p], wholes[p], bounds) for p in chosen)
        return [profile for profile in folded if profile is not None]

    def _name(self, event: Event) -> str:
        return self._people.of_browser(event.app, str(event.visitor_id))
