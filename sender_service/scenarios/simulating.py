"""Work on one simulation: the histories of the sample, one after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sender_service.models.decide.sample_count import SampleCount
from sender_service.models.scenario.simulation import (
    Simulation,
    SimulationFault,
    SimulationResult,
)
from sender_service.scenarios.rules import RulesLoader
from sender_service.store.histories import HistoryStore
from sender_service.store.people import PeopleReader
from sender_service.store.simulations import SimulationStore
from sender_service.yield_timer import YieldTimer
from shared.clock import Clock, Monotonic
from shared.mongo.client import IN_LIMIT

WRITTEN_AFTER_SECONDS = 3.0  # who works on a simulation writes as often
MAX_SECONDS = 1_800.0


class SimulationLost(Exception):
    """Another process has the simulation."""


class SimulationStopped(Exception):
    """Stop of this process."""


@dataclass(slots=True)
class SimulationWork:
    """Work on a simulation that this process took. Methods raise SimulationLost, StoreUnavailable.

    `beat` is called often; it raises SimulationStopped where this process stops.
    """

    simulation: Simulation
    simulations: SimulationStore
    histories: HistoryStore
    people: PeopleReader
    rules: RulesLoader
    clock: Clock
    monotonic: Monotonic
    beat: Callable[[], None]

    async def do(self) -> None:
        """Simulate, and store the result. Raises SimulationStopped."""
        count = await self._begin()
        if count is None:
            await self.fail("unknown_app")
            return
        share = await self.histories.share(self.simulation.app)
        persons = await self.histories.persons(self.simulation.app, share)
        await self._write(persons=len(persons))
        if await self._count(count, persons):
            await self._finish(count.result(share))
        else:
            await self.fail("too_long")

    async def fail(self, fault: SimulationFault) -> None:
        await self._write(state="failed", fault=fault, finished_at=self.clock())

    async def give_back(self) -> None:
        """Let another process begin: this one's try doesn't count."""
        await self._write(state="waiting", holder=None, tries=self.simulation.tries - 1, done=0)

    async def _begin(self) -> SampleCount | None:
        """Return an empty count with the app's rules; None of an unknown app."""
        draft = self.simulation.draft
        present = await self.rules.load(self.simulation.app)
        if present is None:
            return None
        return SampleCount(
            scenario=draft.id,
            draft=await self.rules.put_draft(present, draft),
            present=present,
            since=self.simulation.since,
            until=self.simulation.until,
        )

    async def _count(self, count: SampleCount, persons: list[str]) -> bool:
        """Count these people; return whether there was time for all."""
        turns, began = YieldTimer(), self.monotonic()
        written = began
        for start in range(0, len(persons), IN_LIMIT):
            page = persons[start : start + IN_LIMIT]
            profiles = await self.people.profiles(self.simulation.app, page)
            async for history in self.histories.read(page, self.simulation.until):
                count.add(history, profiles.get(history.person))
                await turns.yield_if_due()
                self.beat()
            now = self.monotonic()
            if now - began > MAX_SECONDS:
                return False
            if now - written > WRITTEN_AFTER_SECONDS:
                await self._write(done=start + len(page))
                written = now
        return True

    async def _finish(self, result: SimulationResult) -> None:
        await self._write(
            state="done", result=result, done=self.simulation.persons, finished_at=self.clock()
        )

    async def _write(self, **changes: object) -> None:
        written = await self.simulations.replace(replace(self.simulation, **changes))  # type: ignore[arg-type]
        if written is None:
            raise SimulationLost
        self.simulation = written
