"""The `sends` collection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

import orjson
from pymongo.errors import BulkWriteError

from sender_service.models.send import EVER, NEVER, Send, SendState, Sums
from shared.mongo.client import Database, Document, in_batches, translate_mongo_errors
from shared.mongo.collections import SENDS
from shared.mongo.errors import duplicates_of
from shared.mongo.whole_reads import read_all

DUE_SENDS_LIMIT = 100  # of those that are due, or soon: so many are looked at for the first


class SendStore:
    """Stores sends. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._sends = database[SENDS.name]

    async def insert(self, sends: Sequence[Send]) -> set[str]:
        """Insert new sends; return the ids that existed before."""
        if not sends:
            return set()
        with translate_mongo_errors():
            try:
                await self._sends.insert_many([cast(Document, s) for s in sends], ordered=False)
            except BulkWriteError as exc:
                return {sends[index]["_id"] for index in duplicates_of(exc)}
        return set()

    async def get(self, send: str) -> Send | None:
        with translate_mongo_errors():
            return cast(Send | None, await self._sends.find_one({"_id": send}))

    async def app_of(self, send: str) -> str | None:
        """Return the app of a send; None if there is no such send."""
        with translate_mongo_errors():
            found = await self._sends.find_one({"_id": send}, {"app": 1})
        return None if found is None else str(found["app"])

    async def without_list(self, send: str) -> Send | None:
        """Return a send without its trigger, which may be long."""
        with translate_mongo_errors():
            return cast(Send | None, await self._sends.find_one({"_id": send}, {"trigger": 0}))

    async def of_campaign(self, app: str, campaign: str) -> list[Send]:
        """Return all sends of a campaign, newest first."""
        with translate_mongo_errors():
            query = {"app": app, "campaign": campaign}
            found = await read_all(self._sends, query, {"trigger": 0, "campaignSnapshot": 0})
            sends = [cast(Send, s) for s in found]
        return sorted(sends, key=lambda s: s["createdAt"], reverse=True)

    async def unclosed(self) -> list[Send]:
        """Return all sends with an open account, without their content."""
        with translate_mongo_errors():
            found = await read_all(
                self._sends, {"closedAt": None}, {"trigger": 0, "campaignSnapshot": 0}
            )
            return [cast(Send, s) for s in found]

    async def next_due(self, priority: str, until: datetime) -> datetime | None:
        """Return when the first send is due for planning; None if none is until then."""
        due = {"priority": priority, "planDue": {"$gte": EVER, "$lte": until}}
        with translate_mongo_errors():
            found = await read_all(self._sends, due, {"planDue": 1}, limit=DUE_SENDS_LIMIT)
        return min((send["planDue"] for send in found), default=None)

    async def take(self, priority: str, planner: str, now: datetime, lease: float) -> Send | None:
        """Lease a send that is due, or whose lease expired, and count the attempt."""
        due = {"priority": priority, "planDue": {"$gte": EVER, "$lte": now}}
        with translate_mongo_errors():
            taken = await self._sends.find_one_and_update(
                due,
                {
                    "$set": {"planner": planner, "planDue": now + timedelta(seconds=lease)},
                    "$inc": {"begun": 1},
                },
                return_document=True,
            )
        return cast(Send | None, taken)

    async def excuse(self, send: str) -> None:
        """Uncount a planning attempt that failed through no fault of the send."""
        with translate_mongo_errors():
            await self._sends.update_one(
                {"_id": send, "state": "planning", "begun": {"$gte": 1}}, {"$inc": {"begun": -1}}
            )

    async def set_if_planner(self, send: str, planner: str, changes: Document) -> bool:
        """Change a send if this planner has its lease; return False if it lost it."""
        with translate_mongo_errors():
            result = await self._sends.update_one(
                {"_id": send, "planner": planner, "state": "planning"}, {"$set": changes}
            )
        return result.matched_count == 1

    async def end(
        self, send: str, state: SendState, changes: Document, *, planner: str | None = None
    ) -> bool:
        """Cancel or refuse an unfinished send, and its planning.

        With `planner`, only if that planner has the lease. Return whether it changed.
        """
        query: Document = {"_id": send, "state": {"$in": ["planning", "sending"]}}
        if planner is not None:
            query |= {"planner": planner, "state": "planning"}
        with translate_mongo_errors():
            result = await self._sends.update_one(
                query,
                {"$set": {"state": state, "planDue": NEVER, "planner": None, **changes}},
            )
        return result.matched_count == 1

    async def set_paused(self, send: str, paused: bool) -> bool:
        with translate_mongo_errors():
            result = await self._sends.update_one(
                {"_id": send, "state": {"$in": ["planning", "sending"]}},
                {"$set": {"paused": paused}},
            )
        return result.matched_count == 1

    async def restate(self, send: str, totals: Sums) -> None:
        """Set the corrected totals of a closed send."""
        with translate_mongo_errors():
            await self._sends.update_one(
                {"_id": send, "closedAt": {"$gte": EVER, "$lt": NEVER}},
                {"$set": {"totals": totals}},
            )

    async def heads(self, sends: Sequence[str]) -> list[Send]:
        """Return these sends without their content."""
        found: list[Send] = []
        with translate_mongo_errors():
            for query in in_batches("_id", sends):
                async for send in self._sends.find(query, {"trigger": 0, "campaignSnapshot": 0}):
                    found.append(cast(Send, send))
        return found

    async def sealed(self, sends: Sequence[str]) -> set[str]:
        """Return the sends that are sealed."""
        found: set[str] = set()
        with translate_mongo_errors():
            for query in in_batches("_id", sends):
                async for send in self._sends.find(query, {"sealed": 1}):
                    if send.get("sealed"):
                        found.add(send["_id"])
        return found

    async def close(self, closing: Sequence[tuple[Send, Sums]], now: datetime) -> None:
        """Close accounts: set the totals, and set sending sends to done.

        Sends with equal results share one statement: most sends to one person do, and statements
        are costly.
        """
        alike: dict[bytes, tuple[str, Sums, list[str]]] = {}
        for send, totals in closing:
            key = orjson.dumps([send["state"], totals], option=orjson.OPT_SORT_KEYS)
            alike.setdefault(key, (send["state"], totals, []))[2].append(send["_id"])
        with translate_mongo_errors():
            for state, totals, ids in alike.values():
                ended = {"totals": totals, "closedAt": now}
                ended["state"] = "done" if state == "sending" else state
                for query in in_batches("_id", ids):
                    await self._sends.update_many(
                        {**query, "state": state, "closedAt": None}, {"$set": ended}
                    )
