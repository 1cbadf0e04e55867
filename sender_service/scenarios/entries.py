"""Stage on `carillon.moments`: people enter scenarios by what they do, and leave them by what they do."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sender_service.context import SenderContext
from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.person import Person
from sender_service.models.decide.reaction import Reaction, react
from sender_service.models.decide.relevance import kinds_that_matter, matters
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.scenarios.build_rules import build_rules_loader
from sender_service.scenarios.history_keeper import HistoryKeeper
from sender_service.scenarios.joining import Joining
from sender_service.scenarios.people import LoadedPeople, PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.scenarios.run_writes import RunWrites
from shared import metrics
from shared.clock import Clock
from shared.kafka.records import Record
from shared.kafka.topics import MOMENTS_TOPIC, SCENARIOS_GROUP
from shared.models.facts import Erased, Joined
from shared.models.person_moment import PersonMoment
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, StageSpec

LOOKS, LOOK_SECONDS = 5, 0.2  # at persons whose profile, or survivor's, may just be written

Moments = Sequence[PersonMoment]


def _decode(record: Record) -> PersonMoment:
    return PersonMoment.parse(record.value)


@dataclass(frozen=True)
class Entries:
    """Handler of moments. Nothing is done twice: a repeated moment finds the runs that it made."""

    rules: RulesLoader
    people: PersonLoader
    joining: Joining
    writes: RunWrites
    histories: HistoryKeeper
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    @classmethod
    def of(cls, context: SenderContext) -> Entries:
        stores = context.stores
        rules = build_rules_loader(context)
        return cls(
            rules=rules,
            people=PersonLoader.of(stores, rules),
            joining=Joining(stores.runs, rules),
            writes=RunWrites(stores.runs, stores.people, stores.erasures),
            histories=HistoryKeeper(stores.histories, context.monotonic),
            clock=context.clock,
        )

    def stage(self) -> StageSpec[PersonMoment]:
        return StageSpec("entries", SCENARIOS_GROUP, (MOMENTS_TOPIC.name,), _decode, self.handle)

    async def handle(self, items: Sequence[Item[PersonMoment]]) -> list[Poison]:
        """Handle moments. Raises StoreUnavailable, to be tried again."""
        by_app: dict[str, list[PersonMoment]] = defaultdict(list)
        for item in items:
            by_app[item.value.app].append(item.value)
        for app, moments in by_app.items():
            now, rules = self.clock(), await self.rules.load(app)
            if rules is not None:
                await self._handle_app(rules, moments)
                await self.histories.keep(app, moments, now)
        return []

    async def _handle_app(self, rules: AppRules, moments: Moments) -> None:
        kinds = kinds_that_matter(rules)
        left = [moment for moment in moments if matters(moment, kinds)]
        await self.writes.erase(rules.app, left)
        erased, look = left, 1
        while left:
            again = await self._react(rules, left, is_last=look >= LOOKS)
            left = [moment for moment in left if moment.person in again]
            look += 1
            if left:
                await self.sleep(LOOK_SECONDS)
        # Their runs are deleted by now, those too that began after the erasure and before it was known.
        await self.writes.leave_firings(rules.app, erased)

    async def _react(self, rules: AppRules, moments: Moments, *, is_last: bool) -> set[str]:
        """React to the moments; return the persons whose moments are to be looked at again."""
        now = self.clock()
        ids = {moment.person for moment in moments} | _joined_in(moments)
        loaded = await self.people.load(rules, ids)
        unclear = set() if is_last else _find_unclear(moments, loaded, now)
        clear = [moment for moment in moments if moment.person not in unclear]
        gone = {moment.person for moment in clear if loaded.is_gone(moment.person)}
        await self.writes.forget(rules.app, gone)
        await self.histories.forget(gone)
        by_person: dict[str, list[PersonMoment]] = defaultdict(list)
        for moment in clear:
            if (person := loaded.persons.get(moment.person)) is not None:
                by_person[person.id].append(moment)
        persons = {one.id: one for one in loaded.persons.values() if one.id in by_person}
        for id, mine in by_person.items():
            merged = _merged_into(persons[id], mine, loaded, now)
            persons[id] = await self.joining.join(persons[id], rules, now, merged)
        reactions = await self._reactions(rules, persons, by_person, now)
        ended = [run for one in reactions for run in one.ended]
        begun = [run for one in reactions for run in one.begun]
        lost = await self.writes.write(ended, begun)
        _count(rules.app, [one for one in reactions if one.person.id not in lost])
        return unclear | {one.person for id in lost for one in by_person[id]}

    async def _reactions(
        self,
        rules: AppRules,
        persons: Mapping[str, Person],
        moments: Mapping[str, Moments],
        now: datetime,
    ) -> list[Reaction]:
        waiting = [run for person in persons.values() for run in person.waiting_runs()]
        versions = {(run.scenario, run.version) for run in waiting}
        known = await self.rules.add_versions(rules, versions)
        found = (react(one, moments[id], known, EMPTY_WORLD, now) for id, one in persons.items())
        return list(found)


def _joined_in(moments: Moments) -> set[str]:
    return {fact.was for one in moments for fact in one.facts if isinstance(fact, Joined)}


def _find_unclear(moments: Moments, loaded: LoadedPeople, now: datetime) -> set[str]:
    """Return the persons who are gone or merged, but maybe only just."""
    erased = {one.person for one in moments if any(isinstance(f, Erased) for f in one.facts)}
    ids = {moment.person for moment in moments} - erased
    return {id for id in ids if loaded.is_gone(id) or loaded.is_unwritten(id, now)}


def _merged_into(person: Person, moments: Moments, loaded: LoadedPeople, now: datetime) -> set[str]:
    """Return the persons whose runs are this one's now: her profile is as new as each of the merges."""
    # A fact of it comes after her profile was stored, also where that doesn't name all.
    named = {*person.profile["aliases"], *(_joined_in(moments) & loaded.merges.keys())}
    old = {id for id in loaded.merges if not loaded.is_unwritten(id, now)}
    return {id for id in named | old if id not in loaded.persons or loaded.persons[id] is person}


def _count(app: str, reactions: Sequence[Reaction]) -> None:
    for reaction in reactions:
        metrics.SCENARIO_ENTRIES.labels(app, "entered").inc(len(reaction.begun))
        for (_, why), count in reaction.refused.items():
            metrics.SCENARIO_ENTRIES.labels(app, why).inc(count)
        for run in reaction.ended:
            metrics.SCENARIO_EXITS.labels(app, run.ended.why if run.ended else "").inc()
