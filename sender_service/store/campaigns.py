"""The `campaigns` collection, written by the sender; each change is a version."""

from __future__ import annotations

from collections.abc import Sequence

from sender_service.models.campaign import Campaign
from sender_service.store.versioned import ArchivedStore
from shared.mongo.client import Database, in_batches, translate_mongo_errors
from shared.mongo.collections import CAMPAIGN_VERSIONS, CAMPAIGNS
from shared.mongo.whole_reads import read_all

Campaigns = dict[tuple[str, str], Campaign | None]  # by app and name, as a batch read them


def campaign_key(app: str, campaign: str) -> str:
    return f"{app}/{campaign}"


class CampaignStore(ArchivedStore[Campaign]):
    def __init__(self, database: Database) -> None:
        campaigns, versions = database[CAMPAIGNS.name], database[CAMPAIGN_VERSIONS.name]
        super().__init__(campaigns, versions, Campaign.stored, "/")

    async def campaign(self, app: str, campaign: str) -> Campaign | None:
        return await self._get(campaign_key(app, campaign))

    async def of_app(self, app: str) -> list[Campaign]:
        return await self._find({"app": app})

    async def by_ids(self, app: str, campaigns: Sequence[str]) -> dict[str, Campaign]:
        """Return campaign → its present version, of those that are there."""
        keys = [campaign_key(app, campaign) for campaign in campaigns]
        found = [one for batch in in_batches("_id", keys) for one in await self._find(batch)]
        return {campaign.id: campaign for campaign in found}

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
        return await self._get_version(campaign_key(app, campaign), version)

    async def versions(
        self, app: str, campaign: str, before: int | None, limit: int
    ) -> list[Campaign]:
        """Return at most `limit` versions below `before`, newest first."""
        return await self._list_versions(campaign_key(app, campaign), before, limit)
