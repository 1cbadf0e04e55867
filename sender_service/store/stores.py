"""All stores of a process, opened once: the only way to one."""

from __future__ import annotations

from dataclasses import dataclass

from sender_service.store.audit import AuditStore
from sender_service.store.campaigns import AppStore, CampaignStore
from sender_service.store.contacts import ContactStore
from sender_service.store.dead_letters import DeadLetterStore
from sender_service.store.erasure import ErasureStore
from sender_service.store.interactions import InteractionStore
from sender_service.store.outcomes import OutcomeReader
from sender_service.store.pages import PageStore
from sender_service.store.parked import ParkedStore
from sender_service.store.parts import PartStore
from sender_service.store.people import PeopleReader
from sender_service.store.persons import PersonReader
from sender_service.store.prefixes import PrefixReader
from sender_service.store.reports import ReportStore
from sender_service.store.scenario_stores import ScenarioStores, open_scenario_stores
from sender_service.store.segments import SegmentReader
from sender_service.store.send_list import SendList
from sender_service.store.sends import SendStore
from sender_service.store.tokens import TokenStore
from shared.mongo.client import Database


@dataclass(frozen=True, kw_only=True)
class Stores(ScenarioStores):
    """Stores of the sender's collections, and readers of ingest's."""

    apps: AppStore
    audit: AuditStore
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
    persons: PersonReader
    prefixes: PrefixReader
    reports: ReportStore
    segments: SegmentReader
    send_list: SendList
    sends: SendStore
    tokens: TokenStore

    @classmethod
    def open(cls, database: Database) -> Stores:
        of_scenarios = open_scenario_stores(database)
        return cls(
            apps=AppStore(database),
            audit=AuditStore(database),
            campaigns=CampaignStore(database),
            contacts=ContactStore(database),
            dead_letters=DeadLetterStore(database),
            erasures=ErasureStore(database),
            firings=of_scenarios.firings,
            interactions=InteractionStore(database),
            outcomes=OutcomeReader(database),
            pages=PageStore(database),
            parked=ParkedStore(database),
            parts=PartStore(database),
            people=PeopleReader(database),
            persons=PersonReader(database),
            prefixes=PrefixReader(database),
            reports=ReportStore(database),
            runs=of_scenarios.runs,
            scenarios=of_scenarios.scenarios,
            segments=SegmentReader(database),
            send_list=SendList(database),
            sends=SendStore(database),
            tokens=TokenStore(database),
            wakers=of_scenarios.wakers,
        )
