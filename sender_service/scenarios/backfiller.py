"""Backfiller: works off backfills."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sender_service.context import SenderContext
from sender_service.models.scenario.backfill import Backfill
from sender_service.scenarios.backfilling import BackfillWork
from sender_service.scenarios.build_rules import build_rules_loader
from sender_service.scenarios.moment_scan import MomentScan, ReadMoments
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.scenarios.run_writes import RunWrites
from sender_service.scenarios.taken_task import TakenTask
from sender_service.scenarios.tasks import TaskRunner, run_tasks
from shared.clock import Clock
from shared.health import Component


@dataclass(slots=True)
class Backfiller:
    """Backfiller of this process."""

    tasks: TaskRunner[Backfill]
    read: ReadMoments
    people: PersonLoader
    rules: RulesLoader
    writes: RunWrites
    clock: Clock

    @classmethod
    def of(cls, context: SenderContext) -> Backfiller:
        stores, kafka = context.stores, context.settings.kafka
        rules = build_rules_loader(context)
        return cls(
            TaskRunner(stores.backfills, context.name, context.clock, context.monotonic),
            lambda since: MomentScan(kafka, since),
            PersonLoader.of(stores, rules),
            rules,
            RunWrites(stores.runs, stores.people, stores.erasures),
            context.clock,
        )

    async def run(self, stop: asyncio.Event, component: Component) -> None:
        await run_tasks(self.look, stop, component)

    async def look(self, component: Component, stop: asyncio.Event) -> None:
        """Work off what waits, or was left. Raises Unavailable."""
        await self.tasks.look(self._backfill, stop, component)

    async def _backfill(self, taken: TakenTask[Backfill]) -> None:
        work = BackfillWork(taken, self.read, self.people, self.rules, self.writes, self.clock)
        await work.do()
