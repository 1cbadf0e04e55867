"""All stores of a process, opened once: the only way to one."""

from __future__ import annotations

from dataclasses import dataclass

from sender_service.store.apps import AppStore
from sender_service.store.audit import AuditStore
from sender_service.store.campaigns import CampaignStore
from sender_service.store.contacts import ContactStore
from sender_service.store.dead_letters import DeadLetterStore
from sender_service.store.erasure import ErasureStore
from sender_service.store.interactions import InteractionStore
from sender_service.store.limits import BudgetStore, ReplicaStore
from sender_service.store.outcomes import OutcomeReader
from sender_service.store.pages import PageStore
from sender_service.store.parked import ParkedStore
from sender_service.store.parts import PartStore
from sender_service.store.people import PeopleReader
from sender_service.store.person_data import PersonDataReader
from sender_service.store.prefixes import PrefixReader
from sender_service.store.reports import ReportStore
from sender_service.store.scenario_stores import ScenarioStores, open_scenario_stores
from sender_service.store.send_list import SendList
from sender_service.store.sends import SendStore
from sender_service.store.tokens import TokenStore
from shared.mongo.client import Database


@dataclass(frozen=True, kw_only=True)
class Stores(ScenarioStores):
    """Stores of the sender's collections, and readers of ingest's."""

    apps: AppStore
    audit: AuditStore
    budgets: BudgetStore
    campaigns: CampaignStore
    contacts: ContactStore
    dead_letters: DeadLetterStore
    erasures: ErasureStore
    interactions: InteractionStore
    outcomes: OutcomeReader
    pages: PageStore
    parked: ParkedStore
    parts: PartStore
    people: PeopleReader
    person_data: PersonDataReader
    prefixes: PrefixReader
    replicas: ReplicaStore
    reports: ReportStore
    send_list: SendList
    sends: SendStore
    tokens: TokenStore

    @classmethod
    def open(cls, database: Database) -> Stores:
        of_scenarios = open_scenario_stores(database)
        return cls(
            apps=AppStore(database),
            audit=AuditStore(database),
            budgets=BudgetStore(database),
            campaigns=CampaignStore(database),
            clicks=of_scenarios.clicks,
            contacts=ContactStore(database),
            dead_letters=DeadLetterStore(database),
            erasures=ErasureStore(database),
            firings=of_scenarios.firings,
            histories=of_scenarios.histories,
            interactions=InteractionStore(database),
            outcomes=OutcomeReader(database),
            pages=PageStore(database),
            parked=ParkedStore(database),
            parts=PartStore(database),
            people=PeopleReader(database),
            person_data=PersonDataReader(database),
            prefixes=PrefixReader(database),
            replicas=ReplicaStore(database),
            reports=ReportStore(database),
            runs=of_scenarios.runs,
            scenario_figures=of_scenarios.scenario_figures,
            scenarios=of_scenarios.scenarios,
            simulations=of_scenarios.simulations,
            send_list=SendList(database),
            sends=SendStore(database),
            tokens=TokenStore(database),
            wakers=of_scenarios.wakers,
        )
