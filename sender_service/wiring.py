"""Composition root of the sender."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from fastapi import FastAPI

from sender_service.context import SenderContext
from sender_service.fast_path.planning import TransactionalFastPath
from sender_service.intake.accept import Intake
from sender_service.opening import open_context
from sender_service.ops.routers import OpsApi
from sender_service.planner.planner import Planner
from sender_service.planner.tools import PlannerTools
from sender_service.planner.unknown_names import UnknownNames
from sender_service.privacy.new_page_blanker import NewPageBlanker
from sender_service.scenarios.clock_entries import ClockEntries
from sender_service.scenarios.fired_send import Looks, Occasions
from sender_service.scenarios.knowledge import Knowledge
from sender_service.scenarios.looks import LookReader
from sender_service.scenarios.occurrences import Occurrences
from sender_service.scenarios.waker import Waker
from sender_service.scheduler.budget import MessageBudget
from sender_service.scheduler.scheduler import Scheduler
from sender_service.scheduler.tools import SchedulerTools, build_budget
from shared.settings import Settings


@dataclass(frozen=True)
class Sender:
    """Builds the parts of a sender from its context, and what several of them share."""

    context: SenderContext
    budget: MessageBudget
    unknown_names: UnknownNames | None  # None: unknown names aren't waited for
    knowledge: Knowledge
    looks: Looks  # at people of scenarios
    entries: Occasions  # of people whom the clock enters

    def intake(self) -> Intake:
        context = self.context
        return Intake(
            apps=context.apps,
            stores=context.stores,
            clock=context.clock,
            retention=timedelta(days=context.settings.plan.retention_days),
            fast_path=TransactionalFastPath.of(
                SchedulerTools.of(context, self.budget), context.stores, self.unknown_names
            ),
            notify=context.planner_wakeup.notify,
        )

    def planners(self) -> list[Planner]:
        """Return three planners. Two plan no marketing: no large send delays what somebody waits for,
        nor what scenarios trigger."""
        name, erasure = (
            self.context.name,
            NewPageBlanker.of(self.context.stores, self.context.clock),
        )
        tools = PlannerTools.of(
            self.context, erasure, self.budget.chunk_members, self.unknown_names, self.looks,
            self.entries,
        )  # fmt: skip
        return [
            Planner(f"{name}-transactional", ("transactional",), tools),
            Planner(f"{name}-marketing", ("transactional", "triggered", "marketing"), tools),
            Planner(f"{name}-triggered", ("triggered",), tools),
        ]

    def scheduler(self) -> Scheduler:
        return Scheduler(SchedulerTools.of(self.context, self.budget, self.looks, self.knowledge))

    def occurrences(self) -> Occurrences:
        return Occurrences.of(self.context, self.knowledge)

    def waker(self) -> Waker:
        return Waker.of(self.context, self.knowledge)

    def api(self) -> FastAPI:
        return OpsApi.of(self.context, self.intake(), self.budget).api()


@asynccontextmanager
async def open_sender(settings: Settings) -> AsyncIterator[Sender]:
    """Open a sender; close its clients in reverse order. No server needs to be reachable."""
    async with open_context(settings) as context:
        budget, names = build_budget(context), UnknownNames.of(context)
        looks, entries = LookReader.of(context), ClockEntries.of(context)
        yield Sender(context, budget, names, Knowledge.of(context), looks, entries)
