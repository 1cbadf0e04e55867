"""Stores and settings that the scheduler and the fast path work with."""

from __future__ import annotations

from dataclasses import dataclass

from sender_service.context import SenderContext
from sender_service.scenarios.fired_send import Knowledge, Looks
from sender_service.scheduler.audience_size import AudienceSource, SubscriberCounts
from sender_service.scheduler.budget import MessageBudget
from sender_service.scheduler.publishing import BodyMakers
from sender_service.store.contacts import ContactStore
from sender_service.store.pages import PageStore
from sender_service.store.people import PeopleReader
from sender_service.store.sends import SendStore
from shared.apps import AppRegistry
from shared.clock import Clock, Monotonic
from shared.kafka.client import LogWriter
from shared.settings import PlanSettings


def build_budget(context: SenderContext) -> MessageBudget:
    governor = context.settings.governor
    source = AudienceSource(context.stores.people, context.apps, context.providers)
    counts = SubscriberCounts(source, governor.audience_refresh_seconds, context.monotonic)
    return MessageBudget(
        store=context.stores.budgets, counts=counts, settings=governor, clock=context.clock
    )


@dataclass(frozen=True)
class SchedulerTools:
    apps: AppRegistry
    sends: SendStore
    pages: PageStore
    people: PeopleReader
    contacts: ContactStore
    budget: MessageBudget
    writer: LogWriter
    makers: BodyMakers
    settings: PlanSettings
    clock: Clock
    monotonic: Monotonic  # for its own delays: the clock may step
    looks: Looks | None = None  # at people of scenarios
    knowledge: Knowledge | None = None  # None: never too old

    @classmethod
    def of(
        cls,
        context: SenderContext,
        budget: MessageBudget,
        looks: Looks | None = None,
        knowledge: Knowledge | None = None,
    ) -> SchedulerTools:
        stores = context.stores
        return cls(
            context.apps, stores.sends, stores.pages, stores.people, stores.contacts, budget,
            context.writer, BodyMakers(context.providers, context.tagger), context.settings.plan,
            context.clock, context.monotonic, looks, knowledge,
        )  # fmt: skip
