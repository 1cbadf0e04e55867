"""Reader of looks at people of scenarios, as the sender wires it."""

from __future__ import annotations

from sender_service.scenarios.looks import LookReader
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.store.stores import Stores
from shared.apps import AppRegistry
from shared.clock import Monotonic


def build_looks(stores: Stores, apps: AppRegistry, monotonic: Monotonic) -> LookReader:
    rules = RulesLoader(stores.scenarios, stores.campaigns, apps, monotonic)
    return LookReader(PersonLoader.of(stores, rules), rules)
