"""Documents with a `version` that rises only when their content changes; earlier ones may be kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from pymongo import ReplaceOne

from shared.mongo.client import (
    Collection,
    Document,
    in_batches,
    retry_on_conflict,
    translate_mongo_errors,
)
from shared.mongo.whole_reads import read_all

Stored = TypeVar("Stored")


class VersionedStore(Generic[Stored]):
    """Store of versioned documents. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, collection: Collection, decode: Callable[[Document], Stored]) -> None:
        self._collection = collection
        self._decode = decode

    async def _get(self, key: str) -> Stored | None:
        found = await self._read(key)
        return None if found is None else self._decode(found)

    async def _read(self, key: str) -> Document | None:
        with translate_mongo_errors():
            return await self._collection.find_one({"_id": key})

    async def _find(self, query: Document) -> list[Stored]:
        """Return what matches, in the order of their keys."""
        with translate_mongo_errors():
            found = await read_all(self._collection, query)
        return [self._decode(each) for each in sorted(found, key=lambda d: str(d["_id"]))]

    async def _change(
        self,
        key: str,
        changes: Callable[[Stored | None], Document],
        archived: Document | None = None,
    ) -> Stored:
        """Store the content that `changes` returns for the current one, without lost updates.

        Content is without `_id` and `version`; equal content makes no new version. `changes` may be
        called again, and may raise. `archived`: what the version has besides that is replaced.
        """

        async def attempt() -> Document:
            before = await self._collection.find_one({"_id": key})
            content = changes(None if before is None else self._decode(before))
            if before is not None and _is_same({**before, **content}, before):
                return before
            version = 1 if before is None else before["version"] + 1
            fresh: Document = {**content, "version": version}
            if before is None:
                await self._collection.insert_one({"_id": key, **fresh})
            else:
                await self._keep({**before, **(archived or {})})
                result = await self._collection.update_one(
                    {"_id": key, "version": before["version"]}, {"$set": fresh}
                )
                if result.matched_count == 0:  # somebody else put it meanwhile: theirs, then ours
                    return await attempt()
            return {**(before or {}), "_id": key, **fresh}

        with translate_mongo_errors():
            return self._decode(await retry_on_conflict(attempt))

    async def _keep(self, before: Document) -> None:
        """Archive the document before it is replaced."""


class ArchivedStore(VersionedStore[Stored]):
    """Store whose documents' earlier versions are kept in a collection of their own."""

    def __init__(
        self,
        collection: Collection,
        versions: Collection,
        decode: Callable[[Document], Stored],
        separator: str,
    ) -> None:
        super().__init__(collection, decode)
        self._versions = versions
        self._separator = separator  # between a key and its version's number

    async def _get_version(self, key: str, version: int) -> Stored | None:
        found = await self._read(key)
        if found is None or found["version"] != version:
            with translate_mongo_errors():
                found = await self._versions.find_one({"_id": self._version_id(key, version)})
        return None if found is None else self._decode(found)

    async def _list_versions(self, key: str, before: int | None, limit: int) -> list[Stored]:
        """Return at most `limit` versions below `before`, newest first; none of an unknown key."""
        current = await self._read(key)
        if current is None:
            return []
        newest: int = current["version"]
        first = newest if before is None else min(newest, before - 1)
        while first > 0:
            numbers = range(first, max(first - limit, 0), -1)
            found = {newest: current} | await self._read_versions(key, numbers)
            if listed := [self._decode(found[n]) for n in numbers if n in found]:
                return listed
            first -= limit  # these have all expired
        return []

    async def _read_versions(self, key: str, numbers: Sequence[int]) -> dict[int, Document]:
        ids = [self._version_id(key, n) for n in numbers]
        found: dict[int, Document] = {}
        with translate_mongo_errors():
            for batch in in_batches("_id", ids):
                found |= {one["version"]: one for one in await read_all(self._versions, batch)}
        return found

    async def _keep(self, before: Document) -> None:
        """Archive a version before it is replaced: a crash leaves two copies, never none. A
        version's content never changes, so concurrent writers write the same."""
        kept = {**before, "_id": self._version_id(before["_id"], before["version"])}
        await self._versions.bulk_write([ReplaceOne({"_id": kept["_id"]}, kept, upsert=True)])

    def _version_id(self, key: str, version: int) -> str:
        return f"{key}{self._separator}{version}"


def _is_same(one: Any, other: Any) -> bool:
    """Compare as JSON has it, where true isn't 1; a whole number may be written as 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(v, other[k]) for k, v in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
