"""Work on one simulation: the histories of the sample, one after another."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sender_service.models.decide.sample_count import SampleCount
from sender_service.models.scenario.simulation import Simulation
from sender_service.scenarios.rules import RulesLoader
from sender_service.scenarios.taken_task import TakenTask
from sender_service.store.histories import HistoryStore
from sender_service.store.people import PeopleReader
from sender_service.yield_timer import YieldTimer
from shared.clock import Monotonic
from shared.mongo.client import IN_LIMIT

MAX_SECONDS = 1_800.0


@dataclass(slots=True)
class SimulationWork:
    """Work on a simulation that this process holds. Methods raise TaskLost, StoreUnavailable."""

    taken: TakenTask[Simulation]
    histories: HistoryStore
    people: PeopleReader
    rules: RulesLoader
    monotonic: Monotonic

    async def do(self) -> None:
        """Simulate, from the begin, and store the result. Raises TaskStopped."""
        simulation = replace(self.taken.task, done=0)
        count = await self._begin(simulation)
        if count is None:
            await self.taken.fail("unknown_app")
            return
        share = await self.histories.share(simulation.app)
        persons = await self.histories.persons(simulation.app, share)
        await self.taken.write(replace(simulation, persons=len(persons)))
        if await self._count(count, persons):
            result = count.result(share)
            await self.taken.finish(replace(self.taken.task, result=result, done=len(persons)))
        else:
            await self.taken.fail("too_long")

    async def _begin(self, simulation: Simulation) -> SampleCount | None:
        """Return an empty count with the app's rules; None of an unknown app."""
        present = await self.rules.load(simulation.app)
        if present is None:
            return None
        return SampleCount(
            scenario=simulation.draft.id,
            draft=await self.rules.put_draft(present, simulation.draft),
            present=present,
            since=simulation.since,
            until=simulation.until,
        )

    async def _count(self, count: SampleCount, persons: list[str]) -> bool:
        """Count these people; return whether there was time for all."""
        simulation = self.taken.task
        turns, began = YieldTimer(), self.monotonic()
        for start in range(0, len(persons), IN_LIMIT):
            page = persons[start : start + IN_LIMIT]
            profiles = await self.people.profiles(simulation.app, page)
            async for history in self.histories.read(page, simulation.until):
                count.add(history, profiles.get(history.person))
                await turns.yield_if_due()
                self.taken.beat()
            if self.monotonic() - began > MAX_SECONDS:
                return False
            await self.taken.note(replace(self.taken.task, done=start + len(page)))
        return True
