"""Backfill of a scenario: entries of the log's moments since a time, as if it had been on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sender_service.models.decide.backfilling import backfill_person
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.scenario import Scenario
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.scenarios.run_writes import RunWrites
from shared.clock import Clock
from shared.errors import InvalidPayload
from shared.kafka.records import Record
from shared.models.person_moment import PersonMoment


@dataclass(slots=True)
class BackfillCounts:
    """Counts of a backfill. `refused`: entries by reason."""

    moments: int = 0
    entered: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Backfiller:
    """Reader of moments for one scenario. Repeating it enters nobody twice.

    Methods raise StoreUnavailable when MongoDB is away.
    """

    people: PersonLoader
    rules: RulesLoader
    writes: RunWrites
    clock: Clock

    async def run(
        self, scenario: Scenario, spread: timedelta, batches: AsyncIterator[list[Record]]
    ) -> BackfillCounts:
        """Enter people by the moments of these records."""
        counts = BackfillCounts()
        async for records in batches:
            moments = [one for one in map(_read, records) if one is not None]
            await self._add(scenario, spread, _of_app(moments, scenario.app), counts)
        return counts

    async def _add(
        self,
        scenario: Scenario,
        spread: timedelta,
        moments: Sequence[PersonMoment],
        counts: BackfillCounts,
    ) -> None:
        counts.moments += len(moments)
        rules = await self._present(scenario)
        if rules is None or not moments:
            return
        loaded = await self.people.load(scenario.app, {moment.person for moment in moments})
        by_person: dict[str, list[PersonMoment]] = defaultdict(list)
        for moment in moments:
            if (person := loaded.persons.get(moment.person)) is not None:
                by_person[person.id].append(moment)
        people = {person.id: person for person in loaded.persons.values()}
        now = self.clock()
        found = [
            backfill_person(people[id], of_person, rules, EMPTY_WORLD, now, spread)
            for id, of_person in by_person.items()
        ]
        begun = [run for one in found for run in one.begun]
        # Who changed meanwhile is in a later moment, which enters her where this one was lost.
        lost = await self.writes.write([], begun)
        counts.entered += sum(run.person not in lost for run in begun)
        for one in found:
            counts.refused += one.refused

    async def _present(self, scenario: Scenario) -> Rules | None:
        """Return the rules of the scenario as it is now; None where it is off, or was edited."""
        rules = await self.rules.load(scenario.app)
        found = None if rules is None else rules.of_version(scenario.id, scenario.version)
        if found is None or found.present is None or not found.present.enabled:
            return None
        return found


def _read(record: Record) -> PersonMoment | None:
    try:
        return PersonMoment.parse(record.value)
    except InvalidPayload:  # the stage of entries has made a dead letter of it
        return None


def _of_app(moments: Sequence[PersonMoment], app: str) -> list[PersonMoment]:
    return [moment for moment in moments if moment.app == app]
