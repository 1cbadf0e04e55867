"""Stores of scenarios: their rules, and what they do."""

from __future__ import annotations

from dataclasses import dataclass

from sender_service.store.backfills import BackfillStore, open_backfills
from sender_service.store.clicks import ClickReader
from sender_service.store.firings import FiringStore
from sender_service.store.histories import HistoryStore
from sender_service.store.runs import RunStore
from sender_service.store.scenario_figures import ScenarioFigures
from sender_service.store.scenarios import ScenarioStore
from sender_service.store.simulations import SimulationStore, open_simulations
from sender_service.store.wakers import WakerStore
from shared.mongo.client import Database


@dataclass(frozen=True, kw_only=True)
class ScenarioStores:
    backfills: BackfillStore
    clicks: ClickReader
    firings: FiringStore
    histories: HistoryStore
    runs: RunStore
    scenario_figures: ScenarioFigures
    scenarios: ScenarioStore
    simulations: SimulationStore
    wakers: WakerStore


def open_scenario_stores(database: Database) -> ScenarioStores:
    return ScenarioStores(
        backfills=open_backfills(database),
        clicks=ClickReader(database),
        firings=FiringStore(database),
        histories=HistoryStore(database),
        runs=RunStore(database),
        scenario_figures=ScenarioFigures(database),
        scenarios=ScenarioStore(database),
        simulations=open_simulations(database),
        wakers=WakerStore(database),
    )
