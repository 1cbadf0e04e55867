"""The `sends` collection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson
from pymongo.errors import BulkWriteError

from sender_service.models.send import (
    EVER,
    NEVER,
    PlanningChanges,
    Send,
    SendOverview,
    SendRow,
    SendState,
    Sums,
)
from sender_service.store.due_queue import DueQueue, QueueFields
from sender_service.store.send_codec import (
    OVERVIEW_FIELDS,
    ROW_FIELDS,
    decode_overview,
    decode_row,
    decode_send,
    encode_changes,
    encode_send,
)
from shared.mongo.client import Database, Document, in_batches, translate_mongo_errors
from shared.mongo.collections import SENDS
from shared.mongo.errors import duplicates_of
from shared.mongo.whole_reads import read_all

PLANNING = QueueFields("planDue", "planner", "begun", {"state": "planning"})


class SendStore:
    """Stores sends. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._sends = database[SENDS.name]
        self.planning: DueQueue[Send, PlanningChanges] = DueQueue(
            self._sends, PLANNING, decode_send, encode_changes
        )

    async def insert(self, sends: Sequence[Send]) -> set[str]:
        """Insert new sends; return the ids that existed before."""
        if not sends:
            return set()
        with translate_mongo_errors():
            try:
                await self._sends.insert_many(list(map(encode_send, sends)), ordered=False)
            except BulkWriteError as exc:
                return {sends[index].id for index in duplicates_of(exc)}
        return set()

    async def get(self, send: str) -> Send | None:
        with translate_mongo_errors():
            found = await self._sends.find_one({"_id": send})
        return None if found is None else decode_send(found)

    async def app_of(self, send: str) -> str | None:
        """Return the app of a send; None if there is no such send."""
        with translate_mongo_errors():
            found = await self._sends.find_one({"_id": send}, {"app": 1})
        return None if found is None else str(found["app"])

    async def without_list(self, send: str) -> SendOverview | None:
        """Return a send without its trigger, which may be long."""
        with translate_mongo_errors():
            found = await self._sends.find_one({"_id": send}, OVERVIEW_FIELDS)
        return None if found is None else decode_overview(found)

    async def of_campaign(self, app: str, campaign: str) -> list[SendRow]:
        """Return all sends of a campaign, newest first."""
        with translate_mongo_errors():
            query = {"app": app, "campaign": campaign}
            sends = map(decode_row, await read_all(self._sends, query, ROW_FIELDS))
        return sorted(sends, key=lambda s: s.created_at, reverse=True)

    async def unclosed(self) -> list[SendRow]:
        """Return all sends with an open account, without their content."""
        with translate_mongo_errors():
            return [
                decode_row(s) for s in await read_all(self._sends, {"closedAt": None}, ROW_FIELDS)
            ]

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

    async def heads(self, sends: Sequence[str]) -> list[SendRow]:
        """Return these sends without their content."""
        found: list[SendRow] = []
        with translate_mongo_errors():
            for query in in_batches("_id", sends):
                async for send in self._sends.find(query, ROW_FIELDS):
                    found.append(decode_row(send))
        return found

    async def sealed(self, sends: Sequence[str]) -> set[str]:
        """Return the sends that are sealed."""
        found: set[str] = set()
        with translate_mongo_errors():
            for query in in_batches("_id", sends):
                async for send in self._sends.find(query, {"sealed": 1}):
                    if send["sealed"]:
                        found.add(send["_id"])
        return found

    async def close(self, closing: Sequence[tuple[SendRow, Sums]], now: datetime) -> None:
        """Close accounts: set the totals, and set sending sends to done.

        Sends with equal results share one statement: most sends to one person do, and statements
        are costly.
        """
        alike: dict[bytes, tuple[str, Sums, list[str]]] = {}
        for send, totals in closing:
            key = orjson.dumps([send.state, totals], option=orjson.OPT_SORT_KEYS)
            alike.setdefault(key, (send.state, totals, []))[2].append(send.id)
        with translate_mongo_errors():
            for state, totals, ids in alike.values():
                ended = {"totals": totals, "closedAt": now}
                ended["state"] = "done" if state == "sending" else state
                for query in in_batches("_id", ids):
                    await self._sends.update_many(
                        {**query, "state": state, "closedAt": None}, {"$set": ended}
                    )
