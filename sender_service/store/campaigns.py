"""The `campaigns` collection, written by the sender; each change is a version."""

from __future__ import annotations

from pymongo import ReplaceOne

from sender_service.models.campaign import Campaign
from sender_service.store.versioned import VersionedStore
from shared.mongo.client import Database, Document, in_batches, translate_mongo_errors
from shared.mongo.collections import CAMPAIGN_VERSIONS, CAMPAIGNS
from shared.mongo.whole_reads import read_all

Campaigns = dict[tuple[str, str], Campaign | None]  # by app and name, as a batch read them


def campaign_key(app: str, campaign: str) -> str:
    return f"{app}/{campaign}"


class CampaignStore(VersionedStore[Campaign]):
    def __init__(self, database: Database) -> None:
        super().__init__(database[CAMPAIGNS.name], Campaign.stored)
        self._versions = database[CAMPAIGN_VERSIONS.name]

    async def campaign(self, app: str, campaign: str) -> Campaign | None:
        return await self._get(campaign_key(app, campaign))

    async def of_app(self, app: str) -> list[Campaign]:
        return await self._find({"app": app})

    async def put(self, campaign: Campaign) -> Campaign:
        """Store a campaign's content; return it with its version, the present one if equal."""
        content = campaign.model_dump(by_alias=True, exclude={"version"})
        return await self._change(campaign_key(campaign.app, campaign.id), lambda _: content)

    async def ids_of(self, app: str) -> list[str]:
        """Return the ids of an app's campaigns."""
        with translate_mongo_errors():
            found = await read_all(self._collection, {"app": app}, {"id": 1})
        return sorted(str(document["id"]) for document in found)

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
                    found[document["version"]] = Campaign.stored(document)
        return [found[n] for n in numbers if n in found]

    async def _keep(self, before: Document) -> None:
        """Archive a version before it is replaced: a crash leaves two copies, never none. A
        version's content never changes, so concurrent writers write the same."""
        kept = {**before, "_id": _version_id(before["_id"], before["version"])}
        await self._versions.bulk_write([ReplaceOne({"_id": kept["_id"]}, kept, upsert=True)])


def _version_id(key: str, version: int) -> str:
    return f"{key}/{version}"
