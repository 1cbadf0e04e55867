"""All stores of a process, opened once: the only way to one."""

from __future__ import annotations

from dataclasses import dataclass

from sender_service.store.apps import AppStore
from sender_service.store.audit import AuditStore
from sender_service.store.campaigns import CampaignStore
from sender_service.store.contacts import ContactStore
from sender_service.store.dead_letters import DeadLetterStore
from sender_service.store.erasure import ErasureStore
from sender_service.store.limits import BudgetStore, ReplicaStore
from sender_service.store.people import PeopleReader
from sender_service.store.person_data import PersonDataReader
from sender_service.store.prefixes import PrefixReader
from sender_service.store.scenario_stores import ScenarioStores, open_scenario_stores
from sender_service.store.send_stores import SendStores, open_send_stores
from sender_service.store.tokens import TokenStore
from shared.mongo.client import Database


@dataclass(frozen=True, kw_only=True)
class Stores(ScenarioStores, SendStores):
    """Stores of the sender's collections, and readers of ingest's."""

    apps: AppStore
    audit: AuditStore
    budgets: BudgetStore
    campaigns: CampaignStore
    contacts: ContactStore
    dead_letters: DeadLetterStore
    erasures: ErasureStore
    people: PeopleReader
    person_data: PersonDataReader
    prefixes: PrefixReader
    replicas: ReplicaStore
    tokens: TokenStore

    @classmethod
    def open(cls, database: Database) -> Stores:
        return cls(
            **vars(open_scenario_stores(database)),
            **vars(open_send_stores(database)),
            apps=AppStore(database),
            audit=AuditStore(database),
            budgets=BudgetStore(database),
            campaigns=CampaignStore(database),
            contacts=ContactStore(database),
            dead_letters=DeadLetterStore(database),
            erasures=ErasureStore(database),
            people=PeopleReader(database),
            person_data=PersonDataReader(database),
            prefixes=PrefixReader(database),
            replicas=ReplicaStore(database),
            tokens=TokenStore(database),
        )
