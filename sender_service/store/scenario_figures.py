"""Figures of scenarios for lists: how many runs wait, and what lately fired."""

from __future__ import annotations

from datetime import datetime

from sender_service.models.scenario.firing import Firing
from sender_service.models.send import EVER, NEVER
from sender_service.store.firings import decode_firing
from sender_service.store.runs import LAST_DUE
from shared.mongo.client import Database, translate_mongo_errors
from shared.mongo.collections import FIRINGS, RUNS
from shared.mongo.whole_reads import aggregate_all, read_all


class ScenarioFigures:
    """Reads figures. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._runs = database[RUNS.name]
        self._firings = database[FIRINGS.name]

    async def waiting(self, app: str) -> dict[str, int]:
        """Return scenario → how many of its runs wait; without those where none does."""
        # By due time: the index has no runs that are over in that range.
        waits = {"app": app, "due": {"$gte": EVER, "$lte": LAST_DUE}}
        count = {"_id": "$scenario", "count": {"$sum": 1}}
        with translate_mongo_errors():
            found = await aggregate_all(self._runs, [{"$match": waits}, {"$group": count}])
        return {one["_id"]: one["count"] for one in found}

    async def fired_since(self, app: str, scenario: str, since: datetime) -> list[Firing]:
        """Return a scenario's firings due since a moment, without their members."""
        query = {"app": app, "scenario": scenario, "dueAt": {"$gte": since, "$lt": NEVER}}
        fields = {"members": 0, "chosen": 0, "segment": 0}
        with translate_mongo_errors():
            found = await read_all(self._firings, query, fields)
        return [decode_firing({**one, "members": [], "segment": None}) for one in found]
