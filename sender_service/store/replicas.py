"""The `replicas` collection: heartbeats of the dispatcher's replicas, and the pauses that they announce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from shared.mongo.client import Database, blame_database
from shared.mongo.collections import REPLICAS


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
