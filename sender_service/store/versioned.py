"""Documents with versions: each change is one, and the ones before may be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymongo import ReplaceOne

from shared.mongo.client import (
    Collection,
    Document,
    in_batches,
    retry_on_conflict,
    translate_mongo_errors,
)
from shared.mongo.whole_reads import read_all


class VersionedStore:
    """Documents with a `version` that rises only when their content changes."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def get(self, key: str) -> Document | None:
        with translate_mongo_errors():
            return await self._collection.find_one({"_id": key})

    async def find(self, query: Document) -> list[Document]:
        with translate_mongo_errors():
            found = await read_all(self._collection, query)
        return sorted(found, key=lambda d: str(d["_id"]))

    async def put(self, key: str, content: Document) -> Document:
        """Store `content` (without `_id`, `version`); equal content makes no new version."""
        return await self.change(key, lambda _: content)

    async def change(self, key: str, changes: Callable[[Document | None], Document]) -> Document:
        """Store the result of `changes` for the current document, without lost updates.

        `changes` may be called again, and may raise.
        """

        async def attempt() -> Document:
            before = await self._collection.find_one({"_id": key})
            content = changes(before)
            if before is not None and is_same({**before, **content}, before):
                return before
            version = 1 if before is None else before["version"] + 1
            fresh: Document = {**content, "version": version}
            if before is None:
                await self._collection.insert_one({"_id": key, **fresh})
            else:
                await self._keep(before)
                result = await self._collection.update_one(
                    {"_id": key, "version": before["version"]}, {"$set": fresh}
                )
                if result.matched_count == 0:  # somebody else put it meanwhile: theirs, then ours
                    return await attempt()
            return {**(before or {}), "_id": key, **fresh}

        with translate_mongo_errors():
            return await retry_on_conflict(attempt)

    async def _keep(self, before: Document) -> None:
        """Archive the document before it is replaced."""

    async def set(self, key: str, changes: Document) -> bool:
        """Change fields that aren't content; returns False for an unknown key."""
        with translate_mongo_errors():
            result = await self._collection.update_one({"_id": key}, {"$set": changes})
        return result.matched_count == 1


class ArchivedStore(VersionedStore):
    """Documents whose former versions are kept in a collection of their own."""

    def __init__(self, collection: Collection, versions: Collection, separator: str) -> None:
        super().__init__(collection)
        self._versions = versions
        self._separator = separator  # between a key and its version's number

    async def get_version(self, key: str, version: int) -> Document | None:
        """Return the document at this version, or None."""
        current = await self.get(key)
        if current is not None and current["version"] == version:
            return current
        with translate_mongo_errors():
            return await self._versions.find_one({"_id": self._version_id(key, version)})

    async def list_versions(self, key: str, before: int | None, limit: int) -> list[Document]:
        """Return at most `limit` versions below `before`, newest first; none of an unknown key."""
        current = await self.get(key)
        if current is None:
            return []
        newest: int = current["version"]
        first = newest if before is None else min(newest, before - 1)
        numbers = range(first, max(first - limit, 0), -1)
        ids = [self._version_id(key, n) for n in numbers]
        found = {newest: current}
        with translate_mongo_errors():
            for batch in in_batches("_id", ids):
                for document in await read_all(self._versions, batch):
                    found[document["version"]] = document
        return [found[n] for n in numbers if n in found]

    async def _keep(self, before: Document) -> None:
        """Archive a version before it is replaced: a crash leaves two copies, never none. A
        version's content never changes, so concurrent writers write the same."""
        kept = {**before, "_id": self._version_id(before["_id"], before["version"])}
        await self._versions.bulk_write([ReplaceOne({"_id": kept["_id"]}, kept, upsert=True)])

    def _version_id(self, key: str, version: int) -> str:
        return f"{key}{self._separator}{version}"


def is_same(one: Any, other: Any) -> bool:
    """Compare as JSON has it, where true isn't 1; a whole number may be written as 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(v, other[k]) for k, v in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
