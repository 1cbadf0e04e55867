"""The `simulations` collection."""

from __future__ import annotations

from sender_service.models.scenario.simulation import Simulation
from sender_service.store.simulation_codec import decode_simulation, encode_simulation
from sender_service.store.tasks import TaskStore
from shared.mongo.client import Database
from shared.mongo.collections import SIMULATIONS

SimulationStore = TaskStore[Simulation]


def open_simulations(database: Database) -> SimulationStore:
    return TaskStore(database, SIMULATIONS, encode_simulation, decode_simulation)
