"""The `apps` and `campaigns` collections, written by the sender; each change is a version."""

from __future__ import annotations

from sender_service.models.campaign import Campaign
from sender_service.store.versioned import ArchivedStore, VersionedStore
from shared.mongo.client import Database, Document
from shared.mongo.collections import APPS, CAMPAIGN_VERSIONS, CAMPAIGNS

Campaigns = dict[tuple[str, str], Campaign | None]  # by app and name, as a batch read them


class AppStore(VersionedStore):
    def __init__(self, database: Database) -> None:
        super().__init__(database[APPS.name])


def campaign_key(app: str, campaign: str) -> str:
    return f"{app}/{campaign}"


class CampaignStore(ArchivedStore):
    def __init__(self, database: Database) -> None:
        super().__init__(database[CAMPAIGNS.name], database[CAMPAIGN_VERSIONS.name], "/")

    async def campaign(self, app: str, campaign: str) -> Campaign | None:
        found = await self.get(campaign_key(app, campaign))
        return None if found is None else to_campaign(found)

    async def ids_of(self, app: str) -> list[str]:
        """Return the ids of an app's campaigns."""
        return [str(document["id"]) for document in await self.find({"app": app})]

    async def version(self, app: str, campaign: str, version: int) -> Campaign | None:
        """Return the campaign at this version, or None."""
        found = await self.get_version(campaign_key(app, campaign), version)
        return None if found is None else to_campaign(found)

    async def versions(
        self, app: str, campaign: str, before: int | None, limit: int
    ) -> list[Campaign]:
        """Return at most `limit` versions below `before`, newest first."""
        found = await self.list_versions(campaign_key(app, campaign), before, limit)
        return [to_campaign(document) for document in found]


def to_campaign(document: Document) -> Campaign:
    return Campaign.stored(document)
