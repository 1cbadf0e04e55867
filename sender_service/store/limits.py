"""Stores of what replicas share to keep providers' limits: the collections `budgets` and `replicas`.

A budget has the messages reserved by minute, one document for an app and a provider. A replica has its
heartbeats and the pauses that it announces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from sender_service.providers.base import Channel
from shared.mongo.client import (
    Database,
    Document,
    blame_database,
    if_unchanged,
    retry_on_conflict,
    translate_mongo_errors,
)
from shared.mongo.collections import BUDGETS, REPLICAS


def budget_id(channel: Channel) -> str:
    return ":".join(channel)


@dataclass(frozen=True, slots=True)
class StoredBudget:
    """Reserved messages by minute, and since when a replica found none left."""

    minutes: Mapping[str, int]
    exhausted_since: datetime | None


EMPTY = StoredBudget({}, None)


class BudgetStore:
    """Budgets of messages. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._budgets = database[BUDGETS.name]

    async def get(self, channel: Channel) -> StoredBudget:
        """Return the budget; an empty one where none is stored."""
        with translate_mongo_errors():
            return _decode(await self._budgets.find_one({"_id": budget_id(channel)}))

    async def change(
        self, channel: Channel, compute: Callable[[StoredBudget], Mapping[str, int] | None]
    ) -> None:
        """Write the minutes that `compute` returns for the stored ones, without lost updates.

        None writes nothing. `compute` may be called again.
        """

        async def attempt() -> None:
            while True:
                found = await self._budgets.find_one({"_id": budget_id(channel)})
                minutes = compute(_decode(found))
                if minutes is None or await self._write(channel, found, minutes):
                    return

        with translate_mongo_errors():
            await retry_on_conflict(attempt)

    async def add(self, channel: Channel, messages: Mapping[str, int]) -> None:
        """Add to minutes of a stored budget; negative numbers give back."""
        added = {f"minutes.{minute}": count for minute, count in messages.items()}
        with translate_mongo_errors():
            await self._budgets.update_one(
                {"_id": budget_id(channel)}, {"$inc": {**added, "rev": 1}}
            )

    async def mark_exhausted(self, channel: Channel, since: datetime | None) -> None:
        """Record since when the budget is exhausted; None where it no longer is."""
        change = {"$set": {"limitedSince": since}} if since else {"$unset": {"limitedSince": ""}}
        fresh = {"$setOnInsert": {"minutes": {}, "rev": 1}}

        async def write() -> None:
            key = {"_id": budget_id(channel)}
            await self._budgets.update_one(key, {**change, **fresh}, upsert=True)

        with translate_mongo_errors():
            await retry_on_conflict(write)

    async def _write(
        self, channel: Channel, found: Document | None, minutes: Mapping[str, int]
    ) -> bool:
        if found is None:
            fresh = {"_id": budget_id(channel), "minutes": minutes, "rev": 1}
            await self._budgets.insert_one(fresh)
            return True
        result = await self._budgets.update_one(
            if_unchanged(found), {"$set": {"minutes": minutes}, "$inc": {"rev": 1}}
        )
        return result.matched_count == 1


def _decode(found: Document | None) -> StoredBudget:
    return EMPTY if found is None else StoredBudget(found["minutes"], found.get("limitedSince"))


class AnnouncedPause(TypedDict):
    """A pause of a channel: its number, which rises with each, and its length."""

    seq: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Replica:
    """Heartbeat of a replica: how many it has made, and its last pause of each channel."""

    name: str
    beat: int
    pauses: Mapping[str, AnnouncedPause]


class ReplicaStore:
    """Heartbeats of replicas. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._replicas = database[REPLICAS.name]

    async def exchange(self, own: Replica) -> list[Replica]:
        """Write a replica's heartbeat; return the others'."""
        with blame_database():
            await self._replicas.update_one(
                {"_id": own.name}, {"$set": {"beat": own.beat, "pauses": own.pauses}}, upsert=True
            )
            found = [r async for r in self._replicas.find({}) if r["_id"] != own.name]
        return [Replica(r["_id"], r["beat"], r.get("pauses", {})) for r in found]

    async def remove(self, name: str) -> None:
        with blame_database():
            await self._replicas.delete_one({"_id": name})
