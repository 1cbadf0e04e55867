"""The `apps` and `campaigns` collections: the sender writes both, each change is a version."""

from __future__ import annotations

from typing import Any

from sender_service.models.campaign import Campaign
from shared.collections import APPS, CAMPAIGNS
from shared.mongo import Collection, Database, Document, settle_race, translate_mongo_errors


class VersionedStore:
    """Documents with a `version` that rises only when their content changes."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def get(self, key: str) -> Document | None:
        with translate_mongo_errors():
            return await self._collection.find_one({"_id": key})

    async def find(self, query: Document) -> list[Document]:
        with translate_mongo_errors():
            found = [d async for d in self._collection.find(query)]
        return sorted(found, key=lambda d: str(d["_id"]))

    async def put(self, key: str, content: Document) -> Document:
        """Store `content` (without `_id` and `version`); the same content makes no new version."""

        async def attempt() -> Document:
            before = await self._collection.find_one({"_id": key})
            if before is not None and {**before, **content} == before:
                return before
            version = 1 if before is None else before["version"] + 1
            fresh: Document = {**content, "version": version}
            if before is None:
                await self._collection.insert_one({"_id": key, **fresh})
            else:
                result = await self._collection.update_one(
                    {"_id": key, "version": before["version"]}, {"$set": fresh}
                )
                if result.matched_count == 0:  # somebody else put it meanwhile: theirs, then ours
                    return await attempt()
            return {"_id": key, **fresh}

        with translate_mongo_errors():
            return await settle_race(attempt)

    async def set(self, key: str, changes: Document) -> bool:
        """Change state that is not content: no new version."""
        with translate_mongo_errors():
            result = await self._collection.update_one({"_id": key}, {"$set": changes})
        return result.matched_count == 1


def app_store(database: Database) -> VersionedStore:
    return VersionedStore(database[APPS.name])


def campaign_key(app: str, campaign: str) -> str:
    return f"{app}/{campaign}"


class CampaignStore(VersionedStore):
    def __init__(self, database: Database) -> None:
        super().__init__(database[CAMPAIGNS.name])

    async def campaign(self, app: str, campaign: str) -> Campaign | None:
        found = await self.get(campaign_key(app, campaign))
        return None if found is None else to_campaign(found)


def to_campaign(document: dict[str, Any]) -> Campaign:
    return Campaign.model_validate(document)
