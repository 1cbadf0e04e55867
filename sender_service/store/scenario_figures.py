"""Figures of scenarios for lists: how many runs wait, and what lately fired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sender_service.models.scenario.trouble import Trouble, trouble_of
from sender_service.models.send import EVER, NEVER
from sender_service.store.firings import decode_firing
from sender_service.store.runs import LAST_DUE
from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import FIRINGS, RUNS
from shared.mongo.whole_reads import aggregate_all, read_all


@dataclass(frozen=True, slots=True)
class Fired:
    """Figures of firings: to how many people pushes were sent, of those that are closed; last trouble."""

    sent: int
    trouble: Trouble | None


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

    async def fired(self, app: str, scenario: str, since: datetime, today: datetime) -> Fired:
        """Return what a scenario's firings came to: `sent` of those due since `today`; the trouble of the
        newest one due since the moment `since`, which is earlier, that has one."""
        # The database counts: a busy scenario fires every 5 s, with 2,000 members each time.
        matched = {"app": app, "scenario": scenario, "dueAt": {"$gte": since, "$lt": NEVER}}
        sent_today = {"$cond": [{"$gte": ["$dueAt", today]}, "$counts.sent", 0]}
        group = {"_id": "$trouble", "sent": {"$sum": sent_today}, "newest": {"$max": "$dueAt"}}
        with translate_mongo_errors():
            groups = await aggregate_all(self._firings, [{"$match": matched}, {"$group": group}])
            newest = [one["newest"] for one in groups if one["_id"] is True]
            trouble = await self._trouble_at({**matched, "dueAt": newest[0]}) if newest else None
        return Fired(sent=sum(one["sent"] for one in groups), trouble=trouble)

    async def _trouble_at(self, due_then: Document) -> Trouble | None:
        """Return the trouble of one of the firings due at one time."""
        found = await read_all(self._firings, due_then, {"members": 0, "chosen": 0, "segment": 0})
        firings = [decode_firing({**one, "members": [], "segment": None}) for one in found]
        troubles = [one for one in map(trouble_of, firings) if one is not None]
        return max(troubles, key=lambda one: one.firing.id, default=None)
