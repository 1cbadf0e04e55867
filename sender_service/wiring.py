"""Composition root of the sender."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from sender_service.accounting.reporting import Reporting
from sender_service.accounting.stage import Accounting
from sender_service.accounting.streams import StreamMatcher
from sender_service.dispatcher.dispatcher import Dispatcher, DispatcherTools
from sender_service.dispatcher.governor import Governor
from sender_service.fast_path import TransactionalFastPath
from sender_service.intake.accept import Intake, IntakeStores
from sender_service.intake.stage import intake_stage
from sender_service.models.policy import AppPolicy
from sender_service.models.push_tag import TagSigner
from sender_service.ops.dead_letters import dead_letters_stage
from sender_service.ops.routers import OpsApi
from sender_service.planner.audience import AudienceReader
from sender_service.planner.early import EarlyNames
from sender_service.planner.planner import Planner, PlannerTools
from sender_service.privacy.new_pages import NewPageErasure
from sender_service.privacy.stage import Erasure
from sender_service.providers.base import ProviderContext, Providers
from sender_service.providers.registry import PROVIDERS, Opener, open_providers
from sender_service.scheduler.audience_size import AudienceSource, SubscriberCounts
from sender_service.scheduler.budget import MessageBudget
from sender_service.scheduler.publishing import BodyMakers
from sender_service.scheduler.scheduler import Scheduler, SchedulerTools
from sender_service.store.campaigns import CampaignStore, app_store
from sender_service.store.contacts import ContactStore
from sender_service.store.dead_letters import DeadLetterStore
from sender_service.store.erasure import ErasureStore
from sender_service.store.interactions import InteractionStore
from sender_service.store.pages import PageStore
from sender_service.store.parked import ParkedStore
from sender_service.store.parts import PartStore
from sender_service.store.people import PeopleReader
from sender_service.store.progress import ProjectorProgress
from sender_service.store.reports import ReportStore
from sender_service.store.segments import SegmentReader
from sender_service.store.sends import SendStore
from shared.apps import AppRegistry
from shared.clock import monotonic, utc_now
from shared.health import Health
from shared.kafka.batches import BatchWriter, CoalescingWriter
from shared.kafka.client import LogWriter, open_log_writer
from shared.loops import Wakeup
from shared.mongo.client import Database, open_database
from shared.mongo.collections import SENDER
from shared.processes import unique_name
from shared.secrets import Vault
from shared.settings import Settings
from shared.stage.runner import StageSpec

TAG_PURPOSE = "push-tag"


@dataclass(frozen=True)
class Sender:
    """Clients, stores and shared objects of a sender; roles build their parts from it."""

    settings: Settings
    database: Database
    writer: LogWriter
    providers: Providers
    vault: Vault
    apps: AppRegistry
    health: Health
    name: str
    sends: SendStore
    pages: PageStore
    people: PeopleReader
    campaigns: CampaignStore
    interactions: InteractionStore
    dead_letters: DeadLetterStore
    budget: MessageBudget
    early: EarlyNames | None  # None: unknown names aren't waited for
    planner_call: Wakeup
    scheduler_call: Wakeup

    @property
    def contacts(self) -> ContactStore:
        return ContactStore(self.database)

    @property
    def tagger(self) -> TagSigner:
        return TagSigner(self.vault.derive(TAG_PURPOSE))

    @property
    def audience(self) -> AudienceReader:
        return AudienceReader(self.people, SegmentReader(self.database), PartStore(self.database))

    @property
    def group_writer(self) -> CoalescingWriter:
        return CoalescingWriter(
            BatchWriter(self.writer), self.settings.kafka.request_timeout_ms / 1_000
        )

    def intake(self) -> Intake:
        return Intake(
            apps=self.apps,
            stores=IntakeStores(self.campaigns, self.sends, PartStore(self.database)),
            clock=utc_now,
            retention=timedelta(days=self.settings.plan.retention_days),
            fast_path=TransactionalFastPath(self.scheduler_tools, self.audience, self.early),
            notify=self.planner_call.notify,
        )

    def stages(self, roles: Sequence[str], governor: Governor) -> list[StageSpec[Any]]:
        """Return the Kafka stages of these roles."""
        specs: list[StageSpec[Any]] = []
        if "intake" in roles:
            specs.append(intake_stage(self.intake()))
        if "dispatcher" in roles:
            tools = DispatcherTools(
                self.apps, app_store(self.database), governor, self.providers,
                self.group_writer, utc_now,
            )  # fmt: skip
            specs += Dispatcher(tools).stages()
        if "accounting" in roles:
            accounting = Accounting(
                self.sends, self.pages, self.interactions, self.contacts,
                StreamMatcher(self.tagger, self.pages, ParkedStore(self.database)), self.tagger, utc_now,
                self.settings.plan.answer_timeout, self.scheduler_call,
            )  # fmt: skip
            specs += [
                accounting.stage(),
                dead_letters_stage(self.dead_letters),
                self.erasure().stage(),
            ]
        return specs

    def planners(self) -> list[Planner]:
        """Return two planners. One plans transactional sends only: no large send delays them."""
        tools = PlannerTools(
            self.sends, self.pages, self.audience, self.campaigns, self.contacts,
            NewPageErasure(ErasureStore(self.database), self.pages, self.people, utc_now),
            self.settings.plan, utc_now,
            self.budget.chunk_members, self.scheduler_call.notify, self._policy, self.early,
        )  # fmt: skip
        return [
            Planner(f"{self.name}-transactional", ("transactional",), tools),
            Planner(f"{self.name}-marketing", ("transactional", "marketing"), tools),
        ]

    def _policy(self, app: str) -> AppPolicy:
        return AppPolicy.of(self.apps.get(app))

    @property
    def scheduler_tools(self) -> SchedulerTools:
        return SchedulerTools(
            self.apps, self.sends, self.pages, self.people, self.contacts,
            self.budget, self.writer, BodyMakers(self.providers, self.tagger), self.settings.plan,
            utc_now, monotonic,
        )  # fmt: skip

    def scheduler(self) -> Scheduler:
        return Scheduler(self.scheduler_tools)

    def erasure(self) -> Erasure:
        sweep = self.settings.plan.answer_timeout
        return Erasure(ErasureStore(self.database), self.pages, self.vault, utc_now, sweep)

    def reporting(self) -> Reporting:
        reports = ReportStore(self.database)
        return Reporting(self.sends, self.pages, self.people, reports, utc_now)

    def api(self) -> FastAPI:
        return OpsApi(
            self.settings, self.database, self.writer, self.vault, self.apps, self.health,
            self.intake(), self.budget, self.scheduler_call, self.providers, utc_now, monotonic,
        ).api()  # fmt: skip


@asynccontextmanager
async def open_sender(
    settings: Settings, registry: Mapping[str, Opener] = PROVIDERS
) -> AsyncIterator[Sender]:
    """Open a sender's clients; close them in reverse order. No server needs to be reachable."""
    name = unique_name(SENDER)
    vault = Vault(settings.secret_key.get_secret_value())
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings.mongo, name))
        writer = await stack.enter_async_context(open_log_writer(settings.kafka, name))
        apps = AppRegistry(database, vault)
        people = PeopleReader(database)
        providers = await stack.enter_async_context(
            open_providers(ProviderContext(settings, vault, people), registry)
        )
        counts = SubscriberCounts(
            AudienceSource(people, apps, providers),
            settings.governor.audience_refresh_seconds,
            monotonic,
        )
        yield Sender(
            settings, database, writer, providers, vault, apps,
            Health(utc_now, monotonic), name,
            SendStore(database), PageStore(database), people, CampaignStore(database),
            InteractionStore(database), DeadLetterStore(database),
            MessageBudget(
                database=database, counts=counts, settings=settings.governor, clock=utc_now
            ),
            EarlyNames(ProjectorProgress(database, monotonic), utc_now, monotonic),
            Wakeup(), Wakeup(),
        )  # fmt: skip
