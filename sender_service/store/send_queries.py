"""Reading of sends: whole, as rows, or one field of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sender_service.models.send import EVER, Send, SendOverview, SendRow
from sender_service.store.send_codec import (
    OVERVIEW_FIELDS,
    ROW_FIELDS,
    decode_overview,
    decode_row,
    decode_send,
)
from shared.mongo.client import Database, Document, in_batches, translate_mongo_errors
from shared.mongo.collections import SENDS
from shared.mongo.whole_reads import read_all, walk, walk_index

TRIGGERS_A_READ = 4  # of up to 1 MiB each


class SendQueries:
    """Reads sends. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._sends = database[SENDS.name]

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

    async def due_for_roll_up(
        self, before: datetime, sealed_until: datetime, limit: int
    ) -> list[SendRow]:
        """Return sends that expire before `before`, unsealed or sealed until `sealed_until`."""
        query = {"expireAt": {"$gte": EVER, "$lte": before}}
        with translate_mongo_errors():
            found = [decode_row(s) for s in await read_all(self._sends, query, ROW_FIELDS)]
        waiting = [send for send in found if not send.rolled_up]
        return [send for send in waiting if (send.sealed_at or EVER) <= sealed_until][:limit]

    async def is_rolled_up(self, send: str) -> bool:
        """Return whether a send is rolled up; a deleted one always is."""
        with translate_mongo_errors():
            found = await self._sends.find_one({"_id": send}, {"rolledUp": 1})
        return found is None or bool(found["rolledUp"])

    async def fired_triggers(
        self, app: str, since: datetime
    ) -> AsyncIterator[tuple[str, Document]]:
        """Yield id and trigger of an app's sends of scenarios, created since a moment."""
        query = {"app": app, "createdAt": {"$gte": since}}
        found = walk_index(self._sends, query, {"trigger": 1}, at_once=TRIGGERS_A_READ)
        with translate_mongo_errors():
            async for send in found:
                if send["trigger"].get("scenario") is not None:
                    yield send["_id"], send["trigger"]

    async def triggers(self, app: str) -> AsyncIterator[tuple[str, datetime, Document]]:
        """Yield id, creation time and trigger of an app's sends."""
        fields = {"trigger": 1, "createdAt": 1}
        with translate_mongo_errors():
            async for send in walk(self._sends, {"app": app}, fields, at_once=TRIGGERS_A_READ):
                yield send["_id"], send["createdAt"], send["trigger"]
