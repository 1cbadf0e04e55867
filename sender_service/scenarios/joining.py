"""Joining: a merged person's waiting runs go over to the survivor."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import end_run, take_over
from sender_service.models.scenario.run import Run
from sender_service.scenarios.rules import RulesLoader
from sender_service.store.runs import RunStore

# Longer than clocks are apart, so that no waker claims it meanwhile.
JOIN_TIME = timedelta(minutes=3)


@dataclass(frozen=True)
class Joining:
    """Joins runs of merged persons. Methods raise StoreUnavailable when MongoDB is away.

    A run is postponed, copied, then ended: who stops in between finds it waiting, and makes no second copy.
    """

    runs: RunStore
    rules: RulesLoader

    async def join(
        self, survivor: Person, rules: AppRules, now: datetime, merged: Collection[str]
    ) -> Person:
        """Carry over the waiting runs of these persons; return the survivor with her runs since."""
        while strays := [run for run in survivor.stray_runs() if run.person in merged]:
            versions = {(run.scenario, run.version) for run in survivor.runs if run.ended is None}
            rules = await self.rules.add_versions(rules, versions)
            for stray in strays:
                survivor = await self._join_run(stray, survivor, rules, now)
            ids = {survivor.id, *survivor.profile["aliases"], *merged}
            read = await self.runs.of_people(rules.app, sorted(ids))
            survivor = replace(survivor, runs=tuple(run for of in read.values() for run in of))
        return survivor

    async def _join_run(
        self, stray: Run, survivor: Person, rules: AppRules, now: datetime
    ) -> Person:
        """Join one run. Where another writer was faster, nothing more is done: it is read again."""
        waiting = replace(stray, due=max(stray.due, now + JOIN_TIME))
        if waiting.due != stray.due:
            if not await self.runs.replace(waiting):
                return survivor
            waiting = replace(waiting, rev=waiting.rev + 1)
        change = _take_over(stray, survivor, rules)
        if change is not None:
            is_new = all(run.id != change.id for run in survivor.runs)
            written = await (self.runs.insert([change]) if is_new else self.runs.replace(change))
            if not written:
                return survivor
            survivor = survivor.with_run(change if is_new else replace(change, rev=change.rev + 1))
        ended = end_run(waiting, "merged", now)
        return survivor.with_run(ended) if await self.runs.replace(ended) else survivor


def _take_over(stray: Run, survivor: Person, rules: AppRules) -> Run | None:
    """Return the survivor's run with what the merged person's has come to; None if it is so already."""
    same = [
        run
        for run in survivor.runs_of(stray.scenario)
        if run.person == survivor.id and run.entry.key == stray.entry.key
    ]
    own = next((run for run in same if run.ended is None), None)
    if own is None and any(run.entry == stray.entry for run in same):
        return None  # it was copied before, and the copy is over
    version = (own or stray).version
    scenario = rules.version(stray.scenario, version)
    if scenario is None:
        return None
    joined = take_over(stray, own, survivor, scenario)
    return None if joined == own else joined
