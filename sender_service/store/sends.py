"""The `sends` collection: SendStore alone writes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson
from pymongo.errors import BulkWriteError

from sender_service.models.malformed import Malformed
from sender_service.models.send import (
    EVER,
    NEVER,
    PlanningChanges,
    Send,
    SendRow,
    SendState,
)
from sender_service.models.sums import Sums, SumsDocument, encode_sums
from sender_service.store.due_queue import DueQueue, QueueFields
from sender_service.store.send_codec import (
    decode_send,
    encode_changes,
    encode_malformed,
    encode_send,
)
from sender_service.store.send_queries import SendQueries
from shared.mongo.client import Database, Document, in_batches, translate_mongo_errors
from shared.mongo.errors import duplicates_of

PLANNING = QueueFields("planDue", "planner", "begun", {"state": "planning"})
UNFINISHED: Document = {"state": {"$in": ["planning", "sending"]}}


class SendStore(SendQueries):
    """Stores sends. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
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

    async def note_part(
        self, send: str, number: int, part: str, count: int, malformed: Malformed
    ) -> Send | None:
        """Note that a part of the list arrived; return the send. Repeating it changes nothing."""
        received = f"parts.received.{number}"
        left_out = {f"malformed.{number}": encode_malformed(malformed)} if malformed.count else {}
        with translate_mongo_errors():
            await self._sends.update_one(
                {"_id": send, "state": "planning", received: {"$exists": False}},
                {"$set": {received: part, **left_out}, "$inc": {"parts.recipients": count}},
            )
        return await self.get(send)

    async def complete_list(self, send: Send) -> None:
        """Mark the list as complete, so that it is planned when due."""
        query = {"_id": send.id, "state": "planning", "parts.complete": False}
        await self._set(query, {"parts.complete": True, "planDue": send.due_at})

    async def end(
        self, send: str, state: SendState, error: str | None = None, *, planner: str | None = None
    ) -> bool:
        """Cancel or refuse an unfinished send, and its planning.

        With `planner`, only if that planner has the lease. Return whether it changed.
        """
        query = {"_id": send, **UNFINISHED}
        if planner is not None:
            query |= {"planner": planner, "state": "planning"}
        return await self._set(query, _ended(state, error))

    async def refuse_unplanned(self, send: str, error: str, now: datetime) -> None:
        """Refuse a send of which nothing is planned: its account is closed at once."""
        closed = {"totals": encode_sums(Sums()), "closedAt": now}
        await self._set({"_id": send, **UNFINISHED}, {**_ended("refused", error), **closed})

    async def set_paused(self, send: str, paused: bool) -> bool:
        return await self._set({"_id": send, **UNFINISHED}, {"paused": paused})

    async def mark_test(self, send: str) -> None:
        """Mark a send as a test: reports leave it out."""
        await self._set({"_id": send}, {"test": True})

    async def blank_trigger(self, send: str, changes: Document) -> None:
        """Set what an erasure leaves of names. `changes`: path in the trigger → its new value."""
        await self._set({"_id": send}, {f"trigger.{path}": v for path, v in changes.items()})

    async def seal(self, send: str, now: datetime) -> None:
        """Seal a send: later interactions don't change its report."""
        await self._set({"_id": send, "sealed": False}, {"sealed": True, "sealedAt": now})

    async def mark_rolled_up(self, send: str, delete_at: datetime) -> None:
        """Mark a send as rolled up, so that the TTL index may delete it."""
        await self._set({"_id": send}, {"rolledUp": True, "deleteAt": delete_at})

    async def restate(self, send: str, totals: Sums) -> None:
        """Set the corrected totals of a closed send."""
        closed = {"_id": send, "closedAt": {"$gte": EVER, "$lt": NEVER}}
        await self._set(closed, {"totals": encode_sums(totals)})

    async def close(self, closing: Sequence[tuple[SendRow, Sums]], now: datetime) -> None:
        """Close accounts: set the totals, and set sending sends to done.

        Sends with equal results share one statement: most sends to one person do, and statements
        are costly.
        """
        alike: dict[bytes, tuple[str, SumsDocument, list[str]]] = {}
        for send, sums in closing:
            totals = encode_sums(sums)
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

    async def _set(self, query: Document, changes: Document) -> bool:
        """Change the send if the query matches it; return whether it did."""
        with translate_mongo_errors():
            result = await self._sends.update_one(query, {"$set": changes})
        return result.matched_count == 1


def _ended(state: SendState, error: str | None) -> Document:
    ended: Document = {"state": state, "planDue": NEVER, "planner": None}
    return ended if error is None else {**ended, "error": error}
