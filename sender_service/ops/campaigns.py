"""`/v1/apps/{app}/campaigns`: offers and their reports."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from sender_service.models.campaign import Campaign, CampaignBody
from sender_service.models.send import add_sums, empty_sums
from sender_service.models.trigger import Name
from sender_service.ops.reading import SendReader
from sender_service.store.campaigns import CampaignStore, campaign_key, to_campaign
from shared.apps import AppRegistry
from shared.errors import NotFound

AppName = Annotated[Name, Path(description="the app's id")]
CampaignName = Annotated[Name, Path(description="the campaign's id")]


def campaigns_router(store: CampaignStore, registry: AppRegistry, reader: SendReader) -> APIRouter:
    router = APIRouter(prefix="/v1/apps/{app}/campaigns", tags=["campaigns"])

    @router.get("")
    async def list_campaigns(app: AppName) -> dict[str, Any]:
        await _known_app(registry, app)
        return {"items": [_shown(to_campaign(d)) for d in await store.find({"app": app})]}

    @router.get("/{campaign}")
    async def get_campaign(app: AppName, campaign: CampaignName) -> dict[str, Any]:
        return _shown(await _existing(store, app, campaign))

    @router.put("/{campaign}")
    async def put_campaign(
        app: AppName, campaign: CampaignName, body: CampaignBody
    ) -> dict[str, Any]:
        """Create or change; each change is a version, and sends keep the one they began with."""
        await _known_app(registry, app)
        content = {**body.document(), "app": app, "id": campaign}
        return _shown(to_campaign(await store.put(campaign_key(app, campaign), content)))

    @router.get("/{campaign}/report")
    async def report(app: AppName, campaign: CampaignName) -> dict[str, Any]:
        """Totals over the campaign's sends."""
        found = await _existing(store, app, campaign)
        totals, seen, sends = empty_sums(), {"impressions": 0, "clicks": 0, "closes": 0}, 0
        async for account, interactions in reader.accounts_of(app, campaign):
            sends += 1
            add_sums(totals, account)
            for name, count in interactions.items():
                seen[name] += count
        head = {"app": app, "campaign": campaign, "location": found.location, "sends": sends}
        return {**head, **totals, **seen}

    return router


def _shown(campaign: Campaign) -> dict[str, Any]:
    return campaign.model_dump(by_alias=True, mode="json")


async def _known_app(registry: AppRegistry, app: str) -> None:
    if registry.get(app) is None:
        await registry.refresh()
    if registry.get(app) is None:
        raise NotFound("no such app", code="unknown_app")


async def _existing(store: CampaignStore, app: str, campaign: str) -> Campaign:
    found = await store.campaign(app, campaign)
    if found is None:
        raise NotFound("no such campaign", code="unknown_campaign")
    return found
