"""Waking of one app's due runs: decide on each, store what waits, fire what is pushed."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sender_service.context import SenderContext
from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.person import Person
from sender_service.models.decide.waking import Woken
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.run import Run, person_of
from sender_service.scenarios.build_rules import build_rules_loader
from sender_service.scenarios.due_runs import DueRuns
from sender_service.scenarios.firing import Firer
from sender_service.scenarios.joining import Joining
from sender_service.scenarios.knowledge import Knowledge
from sender_service.scenarios.lease import AppLease
from sender_service.scenarios.people import LoadedPeople, PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.scenarios.run_writes import RunWrites
from sender_service.store.runs import RunStore
from shared import metrics
from shared.clock import Clock
from shared.mongo.client import IN_LIMIT

log = logging.getLogger("carillon.scenarios")

UNWRITTEN_DELAY = timedelta(seconds=5)  # of runs whose survivor's profile may be older than a merge
FAULTY_DELAY = timedelta(minutes=5)  # of runs on which no decision can be made


@dataclass(slots=True)
class Waking:
    runs: RunStore
    people: PersonLoader
    rules: RulesLoader
    joining: Joining
    writes: RunWrites
    firer: Firer
    knowledge: Knowledge
    clock: Clock
    due_runs: DueRuns

    @classmethod
    def of(cls, context: SenderContext, firer: Firer, knowledge: Knowledge) -> Waking:
        stores = context.stores
        rules = build_rules_loader(context)
        return cls(
            runs=stores.runs,
            people=PersonLoader.of(stores, rules),
            rules=rules,
            joining=Joining(stores.runs, rules),
            writes=RunWrites(stores.runs, stores.people, stores.erasures),
            firer=firer,
            knowledge=knowledge,
            clock=context.clock,
            due_runs=DueRuns(stores.runs),
        )

    async def find_due(self, app: str) -> bool:
        """Return whether a run is due. Raises StoreUnavailable."""
        return await self.due_runs.find(app, self.clock())

    def forget(self, app: str) -> None:
        """Forget what was found due, since another process wakes the app's runs."""
        self.due_runs.forget(app)

    async def wake(self, lease: AppLease) -> bool:
        """Look at some of the runs that were found due; return whether more are left.

        Raises LeaseLost, Unavailable.
        """
        now, rules = self.clock(), await self.rules.load(lease.app)
        if rules is None or not self.due_runs.has(lease.app):
            return False
        is_old = await self.knowledge.why_old(now) is not None
        runs, due, rules = await self._read_due(rules, now, is_old)
        people = await self._load(lease, rules, due, runs, now)
        woken = await self._decide(people, rules, now, is_old)
        for start in range(0, len(woken.changed), IN_LIMIT):
            await lease.keep()
            await self.runs.replace_many(woken.changed[start : start + IN_LIMIT])
        for key, found in woken.candidates.items():
            await self.firer.fire(lease, found.rules, key, found.runs.values(), now)
        for (result, why), count in woken.results.items():
            metrics.SCENARIO_DECISIONS.labels(lease.app, result, why).inc(count)
        return self.due_runs.has(lease.app)

    async def _read_due(
        self, rules: AppRules, now: datetime, is_old: bool
    ) -> tuple[dict[str, list[Run]], list[Run], AppRules]:
        """Return the runs of some people, those of them that were found due and still are, and the
        rules with the versions of these.

        On old knowledge those that rest are left alone, without a write.
        """
        runs: dict[str, list[Run]] = {}
        due: list[Run] = []
        oldest = now
        while not due and (ids := self.due_runs.take(rules.app)):
            runs = await self.runs.of_people(rules.app, map(person_of, ids))
            read = (run for of in runs.values() for run in of if run.id in ids)
            due = [run for run in read if run.ended is None and run.due <= now]
            oldest = min([oldest, *(run.due for run in due)])
            rules = await self.rules.add_versions(rules, _versions_of(due))
            resting = _versions_of(run for run in due if is_old and _rests(run, rules))
            due = [run for run in due if (run.scenario, run.version) not in resting]
            if resting:
                self.knowledge.note_rest()
                await self.due_runs.pass_over(rules.app, resting, now)
        metrics.RUNS_OLDEST_DUE.labels(rules.app).set((now - oldest).total_seconds())
        return runs, due, rules

    async def _load(
        self,
        lease: AppLease,
        rules: AppRules,
        due: Sequence[Run],
        runs: Mapping[str, list[Run]],
        now: datetime,
    ) -> Mapping[str, Person]:
        """Return the people of the due runs by id, with what goes over from those merged into them."""
        loaded = await self.people.load(rules, {run.person for run in due}, runs, with_gap=True)
        gone = {run.person for run in due if loaded.is_gone(run.person)}
        unclear = {run.person for run in due if _is_unclear(run.person, loaded, now)}
        later = [replace(run, due=now + UNWRITTEN_DELAY) for run in due if run.person in unclear]
        await lease.keep()
        await self.writes.forget(rules.app, gone)
        await self.runs.replace_many(later)
        merged: dict[str, set[str]] = defaultdict(set)
        for id in loaded.merges.keys() - unclear - gone:
            merged[loaded.persons[id].id].add(id)
        people = {person.id: person for person in loaded.persons.values()}
        for id, person in people.items():
            named = {run.person for run in person.stray_runs()} & {*person.profile["aliases"]}
            if strays := named | merged[id]:
                await lease.keep()
                people[id] = await self.joining.join(person, rules, now, strays)
        return people

    async def _decide(
        self, people: Mapping[str, Person], rules: AppRules, now: datetime, is_old: bool
    ) -> Woken:
        """Decide on all due runs of these people, also on those that were not read as due."""
        due = {
            id: [run for run in person.waiting_runs() if run.due <= now]
            for id, person in people.items()
        }
        rules = await self.rules.add_versions(
            rules, {version for runs in due.values() for version in _versions_of(runs)}
        )
        woken = Woken()
        for id, person in people.items():
            runs = [run for run in due[id] if not (is_old and _rests(run, rules))]
            try:
                woken.look_at(person, runs, rules, EMPTY_WORLD, now)
            except Exception as exc:  # one faulty person must not stop the others
                log.error("decision failed", exc_info=exc, extra={"app": rules.app})
                woken.changed += [replace(run, due=now + FAULTY_DELAY) for run in runs]
        return woken


def _versions_of(runs: Iterable[Run]) -> set[tuple[str, int]]:
    return {(run.scenario, run.version) for run in runs}


def _rests(run: Run, rules: AppRules) -> bool:
    """Return whether the run rests on old knowledge."""
    own = rules.of_version(run.scenario, run.version)
    return own is not None and own.needs_knowledge


def _is_unclear(person: str, loaded: LoadedPeople, now: datetime) -> bool:
    """Return whether the person was merged into one whose profile doesn't show it yet."""
    is_merged = person in loaded.merges
    return is_merged and (person not in loaded.persons or loaded.is_unwritten(person, now))
