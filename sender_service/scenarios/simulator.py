"""Simulator: works off simulations, one after another.

A simulation is done anew by whoever takes it over from a process that died, and fails after some tries.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace

from sender_service.context import SenderContext
from sender_service.models.scenario.simulation import Simulation
from sender_service.scenarios.rules import RulesLoader
from sender_service.scenarios.simulating import (
    SimulationLost,
    SimulationStopped,
    SimulationWork,
)
from sender_service.store.histories import HistoryStore
from sender_service.store.people import PeopleReader
from sender_service.store.simulations import SimulationStore
from shared.apps import AppRegistry
from shared.clock import Clock, Monotonic
from shared.errors import Unavailable
from shared.health import Component
from shared.loops import sleep_or_stop
from shared.mongo.errors import blame_database

log = logging.getLogger("carillon.scenarios")

SEARCH_SECONDS = 2.0  # between two looks for simulations
LEFT_SECONDS = 30.0  # one whose document stands still for so long is left
CLEANED_AFTER_SECONDS = 3_600.0
MAX_TRIES = 3


@dataclass(slots=True)
class Simulator:
    """Simulator of this process, whose name is `holder`."""

    simulations: SimulationStore
    histories: HistoryStore
    people: PeopleReader
    rules: RulesLoader
    apps: AppRegistry
    holder: str
    clock: Clock
    monotonic: Monotonic
    # By id of another's simulation: its `rev`, and since when it stands still.
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict, init=False)
    _cleaned_at: float | None = field(default=None, init=False)

    @classmethod
    def of(cls, context: SenderContext) -> Simulator:
        stores = context.stores
        return cls(
            stores.simulations,
            stores.histories,
            stores.people,
            RulesLoader(stores.scenarios, stores.campaigns, context.apps, context.monotonic),
            context.apps,
            context.name,
            context.clock,
            context.monotonic,
        )

    async def run(self, stop: asyncio.Event, component: Component) -> None:
        while not stop.is_set():
            try:
                with blame_database():
                    await self.look(component, stop)
                    await self.clean()
                component.beat()
            except Unavailable as exc:
                component.wait_for(exc)
            await sleep_or_stop(stop, SEARCH_SECONDS)

    async def look(self, component: Component, stop: asyncio.Event) -> None:
        """Work off what waits, or was left. Raises Unavailable."""
        found = await self.simulations.open()
        self._seen = {one.id: self._look_at(one) for one in found}
        for simulation in found:
            if stop.is_set():
                return
            if self._is_left(simulation):
                try:
                    await self._serve(simulation, component, stop)
                except SimulationLost:
                    log.warning("simulation lost", extra={"app": simulation.app})

    async def clean(self) -> None:
        """Drop what is too old from histories, once in a while. Raises StoreUnavailable."""
        now = self.monotonic()
        if self._cleaned_at is None or now - self._cleaned_at >= CLEANED_AFTER_SECONDS:
            for app in list(self.apps.apps):
                await self.histories.drop_old(app.id, self.clock())
            self._cleaned_at = now

    def _look_at(self, simulation: Simulation) -> tuple[int, float]:
        """Return the simulation's `rev`, and since when this process sees it."""
        rev, since = self._seen.get(simulation.id, (-1, 0.0))
        return (rev, since) if rev == simulation.rev else (simulation.rev, self.monotonic())

    def _is_left(self, simulation: Simulation) -> bool:
        """Return whether nobody works on it; by the own clock, for those of replicas differ."""
        if simulation.state == "waiting" or simulation.holder == self.holder:
            return True
        return self.monotonic() - self._seen[simulation.id][1] >= LEFT_SECONDS

    async def _serve(
        self, simulation: Simulation, component: Component, stop: asyncio.Event
    ) -> None:
        """Work the simulation off. Raises SimulationLost, StoreUnavailable."""

        def beat() -> None:
            component.beat()
            if stop.is_set():
                raise SimulationStopped

        mine = replace(simulation, state="running", holder=self.holder, tries=simulation.tries + 1)
        taken = await self.simulations.replace(replace(mine, done=0))
        if taken is None:
            return
        work = SimulationWork(
            taken,
            self.simulations,
            self.histories,
            self.people,
            self.rules,
            self.clock,
            self.monotonic,
            beat,
        )
        if taken.tries > MAX_TRIES:
            await work.fail("interrupted")
            return
        try:
            await work.do()
        except SimulationStopped:
            await work.give_back()
        except (SimulationLost, Unavailable):
            raise
        except Exception as exc:  # a bug, or a document changed by hand
            log.error("simulation failed", exc_info=exc, extra={"app": simulation.app})
            await work.fail("faulty")
