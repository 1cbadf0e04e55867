"""Work on one backfill: the log's moments since a time, as if the scenario had been on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.backfilling import backfill_person
from sender_service.models.decide.entry_facts import kind_of
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.backfill import Backfill
from sender_service.models.scenario.task import TaskFault
from sender_service.scenarios.moment_scan import ReadMoments, at_of
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.scenarios.run_writes import RunWrites
from sender_service.scenarios.taken_task import TakenTask
from shared import metrics
from shared.clock import Clock
from shared.errors import InvalidPayload, LogUnavailable
from shared.kafka.records import Record
from shared.models.person_moment import PersonMoment

MAX_TIME = timedelta(hours=2)  # after it was begun, also where the broker was away for long
REFUSED_GONE = "gone"  # of whom nothing is left


class BackfillEnded(Exception):
    """Backfill that can't go on."""

    def __init__(self, fault: TaskFault) -> None:
        self.fault = fault


@dataclass(frozen=True, slots=True)
class BackfillWork:
    """Work on a backfill that this process holds. Doing it twice enters nobody twice.

    Methods raise TaskLost, TaskStopped, Unavailable.
    """

    taken: TakenTask[Backfill]
    read: ReadMoments
    people: PersonLoader
    rules: RulesLoader
    writes: RunWrites
    clock: Clock

    async def do(self) -> None:
        """Enter people, from where the process before has come, and store the counts."""
        try:
            await self._present()
            await self._read_log()
        except BackfillEnded as ended:
            await self.taken.fail(ended.fault)
        except LogUnavailable:
            # The broker's absence is no fault of the backfill: it goes on from here, within MAX_TIME.
            await self.taken.give_back()
            raise
        else:
            await self.taken.finish(self.taken.task)

    async def _read_log(self) -> None:
        begun = self.taken.task
        moments = self.read(begun.reached or begun.since)
        async with aclosing(moments.batches()) as batches:
            async for records in batches:
                self.taken.beat()
                await self._add(records)
                progress = self.taken.task
                if records:
                    progress = replace(progress, reached=at_of(records[-1]))
                if begun.reached is None:
                    progress = replace(progress, known_since=moments.known_since)
                await self.taken.note(progress)

    async def _add(self, records: Sequence[Record]) -> None:
        """Enter people by the moments of these records."""
        app_rules, rules = await self._present()
        moments = self._that_may_enter(records, rules)
        if not moments:
            return
        loaded = await self.people.load(app_rules, {moment.person for moment in moments})
        by_person: dict[str, list[PersonMoment]] = defaultdict(list)
        refused: Counter[str] = Counter()
        for moment in moments:
            person = loaded.persons.get(moment.person)
            if person is None:
                refused[REFUSED_GONE] += 1
            else:
                by_person[person.id].append(moment)
        people = {person.id: person for person in loaded.persons.values()}
        begun, backfill, now = [], self.taken.task, self.clock()
        for id, of_person in by_person.items():
            found = backfill_person(people[id], of_person, rules, EMPTY_WORLD, now, backfill)
            begun += found.begun
            refused += found.refused
        # Who is lost entered by a live moment meanwhile, or was merged: then the waker joins her run.
        lost = await self.writes.write([], begun)
        entered = sum(run.person not in lost for run in begun)
        metrics.SCENARIO_ENTRIES.labels(backfill.app, "entered").inc(entered)
        counts = backfill.counts.plus(len(moments), entered, refused)
        self.taken.task = replace(backfill, counts=counts)

    async def _present(self) -> tuple[AppRules, Rules]:
        """Return the app's rules, and the scenario's. Raises BackfillEnded where it can't go on."""
        backfill = self.taken.task
        if self.clock() - backfill.until > MAX_TIME:
            raise BackfillEnded("too_long")
        rules = await self.rules.load(backfill.app)
        if rules is None:
            raise BackfillEnded("unknown_app")
        found = rules.of_version(backfill.scenario, backfill.version)
        present = None if found is None else found.present
        if found is None or present is None or not present.enabled:
            raise BackfillEnded("changed")
        return rules, found

    def _that_may_enter(self, records: Sequence[Record], rules: Rules) -> list[PersonMoment]:
        kind, app = kind_of(rules.own.entry), self.taken.task.app
        moments = [one for one in map(_read, records) if one is not None and one.app == app]
        return [one for one in moments if any(fact.kind == kind for fact in one.facts)]


def _read(record: Record) -> PersonMoment | None:
    try:
        return PersonMoment.parse(record.value)
    except InvalidPayload:  # the stage of entries has made a dead letter of it
        return None
