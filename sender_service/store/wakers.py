"""The `wakers` collection: which process looks at an app's due runs.

    {_id app, holder, beat, n}

Replicas' clocks differ, so nobody compares times. A lease is lost once its beat stood still for
BEAT_SECONDS of the watcher's own monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from pymongo.errors import DuplicateKeyError

from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import WAKERS

BEAT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Beat:
    """Beat of another holder, and since when it stands still."""

    holder: str
    beat: int
    since: float


class WakerStore:
    """Leases of apps. Every method raises StoreUnavailable when MongoDB is away.

    `now` is the process's monotonic clock, read before the call.
    """

    def __init__(self, database: Database) -> None:
        self._wakers = database[WAKERS.name]
        self._seen: dict[str, Beat] = {}

    async def take(self, app: str, holder: str, now: float) -> int | None:
        """Take or renew the lease of an app; return its `n`, None while another process has it."""
        with translate_mongo_errors():
            found = await self._wakers.find_one({"_id": app})
        if found is None:
            return await self._begin(app, holder)
        if found["holder"] not in (holder, None) and not self._is_still(found, now):
            return None
        unchanged = {"_id": app, "holder": found["holder"], "beat": found["beat"]}
        change = {"$set": {"holder": holder}, "$inc": {"beat": 1}}
        with translate_mongo_errors():
            result = await self._wakers.update_one(unchanged, change)
        return int(found["n"]) if result.matched_count else None

    async def renew(self, app: str, holder: str) -> bool:
        """Move the beat; return False where another process took the lease."""
        return await self._change({"_id": app, "holder": holder}, {"$inc": {"beat": 1}})

    async def raise_n(self, app: str, holder: str, n: int) -> bool:
        """Raise the app's n and move the beat; return False where another process has the lease."""
        leased = {"_id": app, "holder": holder, "n": n}
        return await self._change(leased, {"$inc": {"n": 1, "beat": 1}})

    async def give_up(self, holder: str) -> None:
        """End all leases of a process that stops: others needn't wait for its beats."""
        with translate_mongo_errors():
            await self._wakers.update_many({"holder": holder}, {"$set": {"holder": None}})

    async def _begin(self, app: str, holder: str) -> int | None:
        with translate_mongo_errors():
            try:
                await self._wakers.insert_one({"_id": app, "holder": holder, "beat": 1, "n": 0})
            except DuplicateKeyError:
                return None
        return 0

    async def _change(self, leased: Document, change: Document) -> bool:
        with translate_mongo_errors():
            result = await self._wakers.update_one(leased, change)
        return result.matched_count == 1

    def _is_still(self, found: Document, now: float) -> bool:
        """Return whether another holder's beat stood still for so long."""
        seen = self._seen.get(found["_id"])
        if seen is None or (seen.holder, seen.beat) != (found["holder"], found["beat"]):
            seen = self._seen[found["_id"]] = Beat(found["holder"], found["beat"], now)
        return now - seen.since >= BEAT_SECONDS
