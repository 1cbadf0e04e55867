"""Entries by the clock: decided while the send of an occurrence's firing is planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sender_service.context import SenderContext
from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.clock_entry import look_at_entry
from sender_service.models.decide.fired import FiredPush, decide_fired, fired_run
from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import EMPTY_WORLD, World
from sender_service.models.scenario.firing import Firing, entry_of
from sender_service.models.scenario.occurrence import is_for
from sender_service.models.scenario.push_look import PushLook
from sender_service.models.scenario.run import Entry, Run
from sender_service.scenarios.build_rules import build_rules_loader
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.scenarios.run_writes import RunWrites
from sender_service.store.firings import FiringStore
from sender_service.yield_timer import YieldTimer
from shared.documents.profile import Profile


@dataclass(frozen=True, slots=True)
class ClockEntries:
    """Entries of people whom the clock enters. Methods raise StoreUnavailable when MongoDB is away."""

    people: PersonLoader
    rules: RulesLoader
    writes: RunWrites
    firings: FiringStore
    world: World = EMPTY_WORLD

    @classmethod
    def of(cls, context: SenderContext) -> ClockEntries:
        stores = context.stores
        rules = build_rules_loader(context)
        writes = RunWrites(stores.runs, stores.people, stores.erasures)
        return cls(PersonLoader.of(stores, rules), rules, writes, stores.firings)

    async def open(self, send: str) -> ClockOccasion | None:
        """Return the occurrence that the send is of; None of a send to members."""
        firing = await self.firings.get(send)
        entry = None if firing is None else entry_of(firing)
        if firing is None or entry is None:
            return None
        rules = await self.rules.load(firing.app)
        if rules is not None:
            rules = await self.rules.add_versions(rules, [(firing.scenario, firing.version)])
        return ClockOccasion(self, firing, entry, rules)


@dataclass(frozen=True, slots=True)
class ClockOccasion:
    """Occurrence whose people are decided on. `rules`: as its planning began; None of a deleted app."""

    entries: ClockEntries
    firing: Firing
    entry: Entry
    rules: AppRules | None

    async def look(self, profiles: Sequence[Profile], now: datetime) -> dict[str, PushLook]:
        """Return person → look, of those of the occurrence; begin the runs of who isn't pushed yet."""
        firing, of_app = self.firing, self.rules
        rules = None if of_app is None else of_app.of_version(firing.scenario, firing.version)
        if of_app is None or rules is None or firing.state == "late":
            why = "late" if firing.state == "late" else "deleted"
            return {profile["_id"]: PushLook(refused=why) for profile in profiles}
        mine = [profile for profile in profiles if self._is_for(profile, rules)]
        now = max(now, firing.due_at)  # clocks of replicas differ: who is in its slot is due
        looks: dict[str, PushLook] = {}
        yield_timer = YieldTimer()
        for person in await self.entries.people.of_profiles(of_app, mine):
            looks[person.id] = self._decide(person, rules, now)
            await yield_timer.yield_if_due()
        refused = [one for one in looks.values() if one.refused is not None]
        await self.begin([one.run for one in refused if one.run is not None])
        return looks

    async def begin(self, runs: Sequence[Run]) -> set[str]:
        """Begin these runs; return the persons who entered otherwise meanwhile."""
        return await self.entries.writes.begin(runs)

    async def note_refused(self, counts: Mapping[str, int]) -> None:
        """Note whom the clock didn't enter, once all of the send is planned."""
        await self.entries.firings.set_counts(self.firing.id, counts)

    def _is_for(self, profile: Profile, rules: Rules) -> bool:
        """Return whether the person is of this occurrence, and of no other firing of the day."""
        one = self.firing.occurrence
        zone = rules.zone_of(profile["timeZone"])
        return one is None or is_for(one, rules.own, profile["_id"], zone)

    def _decide(self, person: Person, rules: Rules, now: datetime) -> PushLook:
        firing, world = self.firing, self.entries.world
        if fired_run(person, firing.id) is not None:  # a planner before this one began it
            push = FiredPush(firing.id, firing.step)
            return decide_fired(person, push, rules, world, now, "planning")
        return look_at_entry(person, self.entry, rules, world, now)
