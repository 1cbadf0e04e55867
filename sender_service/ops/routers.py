"""Composition of the ops API: its routers and their dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from fastapi import APIRouter, FastAPI

from sender_service.accounting.explain import OutcomeExplainer
from sender_service.accounting.reporting import Reporting
from sender_service.intake.accept import Intake
from sender_service.ops.app import create_app
from sender_service.ops.app_keys import AppKeys, keys_router
from sender_service.ops.apps import apps_router
from sender_service.ops.audit import audit_router
from sender_service.ops.auth import Tokens
from sender_service.ops.campaigns import CampaignTools, campaigns_router
from sender_service.ops.dead_letters import Replayer, dead_letters_router
from sender_service.ops.export import PersonExporter
from sender_service.ops.guesses import Guesses
from sender_service.ops.naming import Names
from sender_service.ops.people import PeopleTools, people_router
from sender_service.ops.preview import PreviewTools, preview_router
from sender_service.ops.progress import SendForecast
from sender_service.ops.push_tester import ConnectionTest, PushTester
from sender_service.ops.reports import Reports
from sender_service.ops.send_list import send_list_router
from sender_service.ops.send_view import SendView
from sender_service.ops.sends import SendsApi
from sender_service.ops.tokens import tokens_router
from sender_service.ops.unknown_app import add_known_apps
from sender_service.ops.waiting import WaitingReasons
from sender_service.planner.audience import AudienceReader
from sender_service.privacy.requests import ErasureRequester, Writer
from sender_service.scheduler.budget import MessageBudget
from sender_service.scheduler.tidying import Tidying
from sender_service.store.audit import AuditStore
from sender_service.store.campaigns import CampaignStore, app_store
from sender_service.store.contacts import ContactStore
from sender_service.store.dead_letters import DeadLetterStore
from sender_service.store.erasure import ErasureStore
from sender_service.store.interactions import InteractionStore
from sender_service.store.outcomes import OutcomeReader
from sender_service.store.pages import PageStore
from sender_service.store.parts import PartStore
from sender_service.store.people import PeopleReader
from sender_service.store.persons import PersonReader
from sender_service.store.prefixes import PrefixReader
from sender_service.store.reports import ReportStore
from sender_service.store.segments import SegmentReader
from sender_service.store.send_list import SendList
from sender_service.store.sends import SendStore
from sender_service.store.tokens import TokenStore
from shared.apps import AppRegistry
from shared.clock import Clock, Monotonic
from shared.health import Health
from shared.loops import Wakeup
from shared.mongo.client import Database, ping
from shared.secrets import Vault
from shared.settings import Settings


@dataclass(frozen=True)
class OpsApi:
    """Dependencies of the ops API, and the methods that build it."""

    settings: Settings
    database: Database
    writer: Writer
    vault: Vault
    apps: AppRegistry
    health: Health
    intake: Intake
    budget: MessageBudget | None
    scheduler: Wakeup
    onesignal: httpx.AsyncClient
    clock: Clock
    monotonic: Monotonic

    def api(self) -> FastAPI:
        bootstrap = self.settings.ops.token.get_secret_value()
        store = TokenStore(self.database)
        tokens = Tokens(
            bootstrap=bootstrap,
            store=store,
            vault=self.vault,
            clock=self.clock,
            monotonic=self.monotonic,
        )
        audit = AuditStore(self.database)
        routers = [
            *self._offers(),
            *self._people(),
            tokens_router(store, self.apps, self.vault, self.clock),
            audit_router(audit, self.clock),
        ]
        api = create_app(
            self.settings.sender,
            (tokens, Guesses(self.monotonic)),
            (audit, self.clock),
            self.health,
            lambda: ping(self.database),
            routers,
        )
        add_known_apps(api, self.apps)
        return api

    def _offers(self) -> Sequence[APIRouter]:
        """Return the routers of apps, campaigns, sends."""
        sends, pages = SendStore(self.database), PageStore(self.database)
        interactions = InteractionStore(self.database)
        progress = SendForecast(pages, self.budget, self.apps, self.settings)
        waiting = WaitingReasons(self.apps, pages, self.budget, self.clock)
        reader = SendView(sends, pages, interactions, waiting, self.clock, progress)
        names = Names(PrefixReader(self.database))
        api = SendsApi(
            intake=self.intake,
            reader=reader,
            tidying=Tidying(
                self.apps,
                sends,
                pages,
                ContactStore(self.database),
                self.settings.plan.answer_timeout,
            ),
            scheduler=self.scheduler,
            clock=self.clock,
            names=names,
        )
        connection = ConnectionTest(self.onesignal, self.vault)
        tests = PushTester(self.intake, sends, reader)
        return [
            apps_router(app_store(self.database), self.apps, self.vault, connection),
            keys_router(AppKeys(app_store(self.database), self.apps, self.vault)),
            campaigns_router(
                CampaignTools(
                    CampaignStore(self.database),
                    self.apps,
                    self._reports(),
                    tests,
                    self._audience(),
                )
            ),
            preview_router(self._preview()),
            send_list_router(SendList(self.database), self.apps, self.clock),
            api.router(),
        ]

    def _audience(self) -> AudienceReader:
        people, segments = PeopleReader(self.database), SegmentReader(self.database)
        return AudienceReader(people, segments, PartStore(self.database))

    def _preview(self) -> PreviewTools:
        return PreviewTools(
            intake=self.intake,
            apps=self.apps,
            campaigns=CampaignStore(self.database),
            audience=self._audience(),
            contacts=ContactStore(self.database),
            budget=self.budget,
            settings=self.settings,
        )

    def _reports(self) -> Reports:
        sends, reports = SendStore(self.database), ReportStore(self.database)
        pages, people = PageStore(self.database), PeopleReader(self.database)
        return Reports(sends, reports, Reporting(sends, pages, people, reports, self.clock))

    def _people(self) -> Sequence[APIRouter]:
        """Return the routers of people and dead letters."""
        dead_letters = DeadLetterStore(self.database)
        people, why = (
            PersonReader(self.database),
            OutcomeExplainer(OutcomeReader(self.database), self.clock),
        )
        tools = PeopleTools(
            people=people,
            why=why,
            eraser=ErasureRequester(people, self.writer, self.vault, self.clock),
            exporter=PersonExporter(people, why, ErasureStore(self.database), self.vault.hash_key),
            apps=self.apps,
            names=(names := Names(PrefixReader(self.database))),
        )
        replayer = Replayer(dead_letters, self.writer, self.clock, names)
        return [people_router(tools), dead_letters_router(dead_letters, replayer, self.clock)]
