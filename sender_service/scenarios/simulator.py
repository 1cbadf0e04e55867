"""Simulator: works off simulations, and drops what is too old from histories."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from sender_service.context import SenderContext
from sender_service.models.scenario.simulation import Simulation
from sender_service.scenarios.build_rules import build_rules_loader
from sender_service.scenarios.rules import RulesLoader
from sender_service.scenarios.simulating import SimulationWork
from sender_service.scenarios.taken_task import TakenTask
from sender_service.scenarios.tasks import TaskRunner, run_tasks
from sender_service.store.histories import HistoryStore
from sender_service.store.people import PeopleReader
from shared.apps import AppRegistry
from shared.clock import Clock, Monotonic
from shared.health import Component

CLEANED_AFTER_SECONDS = 3_600.0


@dataclass(slots=True)
class Simulator:
    """Simulator of this process."""

    tasks: TaskRunner[Simulation]
    histories: HistoryStore
    people: PeopleReader
    rules: RulesLoader
    apps: AppRegistry
    clock: Clock
    monotonic: Monotonic
    _cleaned_at: float | None = field(default=None, init=False)

    @classmethod
    def of(cls, context: SenderContext) -> Simulator:
        stores, clock, monotonic = context.stores, context.clock, context.monotonic
        return cls(
            TaskRunner(stores.simulations, context.name, clock, monotonic),
            stores.histories,
            stores.people,
            build_rules_loader(context),
            context.apps,
            clock,
            monotonic,
        )

    async def run(self, stop: asyncio.Event, component: Component) -> None:
        await run_tasks(self._look_and_clean, stop, component)

    async def look(self, component: Component, stop: asyncio.Event) -> None:
        """Work off what waits, or was left. Raises Unavailable."""
        await self.tasks.look(self._simulate, stop, component)

    async def clean(self) -> None:
        """Drop what is too old from histories, once in a while. Raises StoreUnavailable."""
        now = self.monotonic()
        if self._cleaned_at is None or now - self._cleaned_at >= CLEANED_AFTER_SECONDS:
            for app in list(self.apps.apps):
                await self.histories.drop_old(app.id, self.clock())
            self._cleaned_at = now

    async def _look_and_clean(self, component: Component, stop: asyncio.Event) -> None:
        await self.look(component, stop)
        await self.clean()

    async def _simulate(self, taken: TakenTask[Simulation]) -> None:
        work = SimulationWork(taken, self.histories, self.people, self.rules, self.monotonic)
        await work.do()
