"""Stores, settings and callbacks that a planner works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sender_service.context import SenderContext
from sender_service.models.policy import AppPolicy
from sender_service.models.send import Send
from sender_service.planner.audience import AudienceReader
from sender_service.planner.clock_look import ClockLook
from sender_service.planner.erasure_check import ErasureCheck
from sender_service.planner.planning_look import PlanningLook
from sender_service.planner.scenario_look import ScenarioLook
from sender_service.planner.unknown_names import UnknownNames
from sender_service.scenarios.fired_send import Looks, Occasions
from sender_service.store.campaigns import CampaignStore
from sender_service.store.contacts import ContactStore
from sender_service.store.pages import PageStore
from sender_service.store.sends import SendStore
from shared.clock import Clock
from shared.settings import PlanSettings


@dataclass(frozen=True)
class PlannerTools:
    """`chunk_members(app)`: players of a call, by provider."""

    sends: SendStore
    pages: PageStore
    audience: AudienceReader
    campaigns: CampaignStore
    contacts: ContactStore
    erasure: ErasureCheck
    settings: PlanSettings
    clock: Clock
    chunk_members: Callable[[str], Mapping[str, int]]
    notify: Callable[[], None]  # wakes the scheduler
    policy: Callable[[str], AppPolicy] = lambda app: AppPolicy()  # of an app
    unknown_names: UnknownNames | None = None  # None: a name is known now or never
    looks: Looks | None = None  # at people of scenarios
    entries: Occasions | None = None  # of people whom the clock enters

    @classmethod
    def of(
        cls,
        context: SenderContext,
        erasure: ErasureCheck,
        chunk_members: Callable[[str], Mapping[str, int]],
        unknown_names: UnknownNames | None,
        looks: Looks | None,
        entries: Occasions | None,
    ) -> PlannerTools:
        stores, apps = context.stores, context.apps
        audience = AudienceReader(stores.people, stores.parts)
        return cls(
            stores.sends, stores.pages, audience, stores.campaigns, stores.contacts,
            erasure, context.settings.plan, context.clock, chunk_members,
            context.scheduler_wakeup.notify, lambda app: AppPolicy.of(apps.get(app)), unknown_names,
            looks, entries,
        )  # fmt: skip

    async def look_of(self, send: Send) -> PlanningLook | None:
        """Return the look at a scenario's people; None of other sends. Raises StoreUnavailable."""
        if self.entries is not None and send.scenario is not None:
            occasion = await self.entries.open(send.id)
            if occasion is not None:
                return ClockLook(occasion, self.clock)
        return ScenarioLook.of(self.looks, send, self.clock)
