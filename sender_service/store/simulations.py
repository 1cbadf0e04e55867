"""The `simulations` collection: those of an app are numbered, and one at a time is worked off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from sender_service.models.scenario.scenario import Scenario
from sender_service.models.scenario.simulation import Simulation
from sender_service.store.simulation_codec import decode_simulation, encode_simulation
from shared.errors import Conflict
from shared.mongo.client import Database, Document, if_unchanged, translate_mongo_errors
from shared.mongo.collections import SIMULATIONS
from shared.mongo.whole_reads import read_all

NOT_OVER = ["waiting", "running"]


class SimulationStore:
    """Stores simulations. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._simulations = database[SIMULATIONS.name]

    async def begin(
        self, app: str, draft: Scenario, since: datetime, until: datetime
    ) -> Simulation:
        """Insert the app's next simulation. Raises Conflict while another one isn't over."""
        with translate_mongo_errors():
            known = await read_all(self._simulations, {"app": app}, {"n": 1, "state": 1})
            if any(one["state"] in NOT_OVER for one in known):
                raise _already_running()
            n = max((one["n"] for one in known), default=0) + 1
            simulation = Simulation(app=app, n=n, draft=draft, since=since, until=until)
            try:
                await self._simulations.insert_one(encode_simulation(simulation))
            except DuplicateKeyError:  # begun at the same time
                raise _already_running() from None
        return simulation

    async def get(self, app: str, n: int) -> Simulation | None:
        with translate_mongo_errors():
            found = await self._simulations.find_one({"_id": f"{app}:{n}"})
        return None if found is None else decode_simulation(found)

    async def open(self) -> list[Simulation]:
        """Return simulations that aren't over, of all apps."""
        with translate_mongo_errors():
            found = await read_all(self._simulations, {"state": {"$in": NOT_OVER}})
        return sorted(map(decode_simulation, found), key=lambda one: one.until)

    async def replace(self, simulation: Simulation) -> Simulation | None:
        """Write the simulation; return it as it is since, None where it isn't as it was read."""
        document = encode_simulation(simulation)
        changed: Document = {**document, "rev": simulation.rev + 1}
        with translate_mongo_errors():
            result = await self._simulations.replace_one(if_unchanged(document), changed)
        return replace(simulation, rev=simulation.rev + 1) if result.matched_count else None


def _already_running() -> Conflict:
    return Conflict("a simulation of this app is not over yet", code="already_running")
