"""Looks at people of scenarios, as the sender wires them."""

from __future__ import annotations

from sender_service.scenarios.clock_entries import ClockEntries
from sender_service.scenarios.looks import LookReader
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.scenarios.run_writes import RunWrites
from sender_service.store.stores import Stores
from shared.apps import AppRegistry
from tests.support.clocks import ManualClock


def build_looks(stores: Stores, apps: AppRegistry, clock: ManualClock) -> LookReader:
    rules = RulesLoader(stores.scenarios, stores.campaigns, apps, clock.monotonic, clock)
    return LookReader(PersonLoader.of(stores, rules), rules, stores.firings)


def build_entries(stores: Stores, looks: LookReader) -> ClockEntries:
    writes = RunWrites(stores.runs, stores.people, stores.erasures)
    return ClockEntries(looks.people, looks.rules, writes, stores.firings)
