"""The `apps` and `campaigns` collections, written by the sender; each change is a version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymongo import ReplaceOne

from sender_service.models.campaign import Campaign
from shared.mongo.client import (
    Collection,
    Database,
    Document,
    in_batches,
    retry_on_conflict,
    translate_mongo_errors,
)
from shared.mongo.collections import APPS, CAMPAIGN_VERSIONS, CAMPAIGNS
from shared.mongo.whole_reads import read_all

Campaigns = dict[tuple[str, str], Campaign | None]  # by app and name, as a batch read them


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
            return await retry_on_conflict(attempt)

    async def _keep(self, before: Document) -> None:
        """Archive the document before it is replaced."""

    async def set(self, key: str, changes: Document) -> bool:
        """Change fields that aren't content; returns False for an unknown key."""
        with translate_mongo_errors():
            result = await self._collection.update_one({"_id": key}, {"$set": changes})
        return result.matched_count == 1


def _is_same(one: Any, other: Any) -> bool:
    """Compare as JSON has it, where true isn't 1; a whole number may be written as 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(v, other[k]) for k, v in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def app_store(database: Database) -> VersionedStore:
    return VersionedStore(database[APPS.name])


def campaign_key(app: str, campaign: str) -> str:
    return f"{app}/{campaign}"


class CampaignStore(VersionedStore):
    def __init__(self, database: Database) -> None:
        super().__init__(database[CAMPAIGNS.name])
        self._versions = database[CAMPAIGN_VERSIONS.name]

    async def campaign(self, app: str, campaign: str) -> Campaign | None:
        found = await self.get(campaign_key(app, campaign))
        return None if found is None else to_campaign(found)

    async def ids_of(self, app: str) -> list[str]:
        """Return the ids of an app's campaigns."""
        return [str(document["id"]) for document in await self.find({"app": app})]

    async def version(self, app: str, campaign: str, version: int) -> Campaign | None:
        """Return the campaign at this version, or None."""
        found = await self.versions(app, campaign, version + 1, 1)
        return found[0] if found and found[0].version == version else None

    async def versions(
        self, app: str, campaign: str, before: int | None, limit: int
    ) -> list[Campaign]:
        """Return at most `limit` versions below `before`, newest first."""
        current = await self.campaign(app, campaign)
        if current is None:
            return []
        first = current.version if before is None else min(current.version, before - 1)
        numbers = range(first, max(first - limit, 0), -1)
        ids = [_version_id(campaign_key(app, campaign), n) for n in numbers]
        found = {first: current} if first == current.version else {}
        with translate_mongo_errors():
            for batch in in_batches("_id", ids):
                for document in await read_all(self._versions, batch):
                    found[document["version"]] = to_campaign(document)
        return [found[n] for n in numbers if n in found]

    async def _keep(self, before: Document) -> None:
        """Archive a version before it is replaced: a crash leaves two copies, never none. A
        version's content never changes, so concurrent writers write the same."""
        kept = {**before, "_id": _version_id(before["_id"], before["version"])}
        await self._versions.bulk_write([ReplaceOne({"_id": kept["_id"]}, kept, upsert=True)])


def _version_id(key: str, version: int) -> str:
    return f"{key}/{version}"


def to_campaign(document: dict[str, Any]) -> Campaign:
    return Campaign.stored(document)
