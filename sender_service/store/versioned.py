"""Documents with a `version` that rises only when their content changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from shared.mongo.client import Collection, Document, retry_on_conflict, translate_mongo_errors
from shared.mongo.whole_reads import read_all

Stored = TypeVar("Stored")


class VersionedStore(Generic[Stored]):
    """Store of versioned documents. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, collection: Collection, decode: Callable[[Document], Stored]) -> None:
        self._collection = collection
        self._decode = decode

    async def _get(self, key: str) -> Stored | None:
        with translate_mongo_errors():
            found = await self._collection.find_one({"_id": key})
        return None if found is None else self._decode(found)

    async def _find(self, query: Document) -> list[Stored]:
        """Return what matches, in the order of their keys."""
        with translate_mongo_errors():
            found = await read_all(self._collection, query)
        return [self._decode(each) for each in sorted(found, key=lambda d: str(d["_id"]))]

    async def _change(self, key: str, changes: Callable[[Stored | None], Document]) -> Stored:
        """Store the content that `changes` returns for the current one, without lost updates.

        Content is without `_id` and `version`; equal content makes no new version. `changes` may be
        called again, and may raise.
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
                await self._keep(before)
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


def _is_same(one: Any, other: Any) -> bool:
    """Compare as JSON has it, where true isn't 1; a whole number may be written as 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(v, other[k]) for k, v in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
