"""`/v1/apps/{app}/campaigns`: offers and their versions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request

from sender_service.models.campaign import Campaign, CampaignBody, texts_in
from sender_service.models.templates import precompile
from sender_service.models.trigger import Name
from sender_service.ops.auth import needs
from sender_service.ops.bodies import json_body
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import CAMPAIGN, STORED_CAMPAIGN, answers
from sender_service.ops.responses.base import Items
from sender_service.ops.responses.campaigns import CampaignResponse
from sender_service.ops.scenario_checks import check_campaign_in_scenarios
from sender_service.ops.unknown_app import require_known_app
from sender_service.planner.audience import AudienceReader
from sender_service.planner.text_check import check_texts
from sender_service.store.campaigns import CampaignStore
from shared.errors import InvalidPayload, NotFound
from shared.nearest import did_you_mean

MOST_VERSIONS = 100
CAMPAIGN_READ_ONLY = frozenset({"id", "app", "version"})  # `PUT` ignores them

AppName = Annotated[Name, Path(description="the app's id")]
CampaignName = Annotated[Name, Path(description="the campaign's id")]


def campaigns_router(context: OpsContext) -> APIRouter:
    router = APIRouter(prefix="/v1/apps/{app}", tags=["campaigns"])
    _add_offers(router, context)
    _add_versions(router, context.stores.campaigns)
    return router


def _add_offers(router: APIRouter, context: OpsContext) -> None:
    store, stores = context.stores.campaigns, context.stores
    audience = AudienceReader(stores.people, stores.parts)

    @router.get("/campaigns", responses=answers({"items": [STORED_CAMPAIGN]}))
    @needs("read")
    async def list_campaigns(app: AppName) -> Items[CampaignResponse]:
        await require_known_app(context.apps, app)
        return Items(items=[to_campaign_response(each) for each in await store.of_app(app)])

    @router.get("/campaigns/{campaign}", responses=answers(STORED_CAMPAIGN))
    @needs("read")
    async def get_campaign(app: AppName, campaign: CampaignName) -> CampaignResponse:
        return to_campaign_response(await existing_campaign(store, app, campaign))

    @router.put("/campaigns/{campaign}", responses=answers(STORED_CAMPAIGN))
    @needs("operate")
    async def put_campaign(
        app: AppName,
        campaign: CampaignName,
        _: Annotated[None, Depends(_precompile)],
        body: Annotated[
            CampaignBody, json_body(CampaignBody, CAMPAIGN, read_only=CAMPAIGN_READ_ONLY)
        ],
    ) -> CampaignResponse:
        """Create or change a campaign. Each change is a version; a send keeps its first one.

        `warnings`, only where there are any: texts that would fail for some of 500 people, by
        their profiles, and pushes that are nearly too large."""
        await require_known_app(context.apps, app)
        content = {**body.document(), "app": app, "id": campaign, "version": 0}
        requested = Campaign.stored(content)
        await check_campaign_in_scenarios(stores, app, requested)
        found = await check_texts(requested, audience)
        return to_campaign_response(await store.put(requested), found)


async def _precompile(request: Request) -> None:
    """Compile the body's templates in a worker thread. Raises InvalidPayload."""
    # The model needs the results; a large campaign's templates would block the event loop.
    # The model refuses a body that isn't JSON.
    try:
        body = orjson.loads(await request.body())
        sources = texts_in(body)
    except orjson.JSONDecodeError:
        return
    except ValueError as exc:
        raise InvalidPayload(str(exc)) from exc
    await asyncio.to_thread(precompile, sources)


def _add_versions(router: APIRouter, store: CampaignStore) -> None:
    @router.get("/campaigns/{campaign}/versions", responses=answers({"items": [STORED_CAMPAIGN]}))
    @needs("read")
    async def list_versions(
        app: AppName,
        campaign: CampaignName,
        before: Annotated[int | None, Query(ge=1)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_VERSIONS)] = MOST_VERSIONS,
    ) -> Items[CampaignResponse]:
        """List the campaign's versions, the newest first. The last one's version as `before` continues
        the list."""
        await existing_campaign(store, app, campaign)
        found = await store.versions(app, campaign, before, limit)
        return Items(items=[to_campaign_response(version) for version in found])

    @router.get("/campaigns/{campaign}/versions/{version}", responses=answers(STORED_CAMPAIGN))
    @needs("read")
    async def get_version(
        app: AppName, campaign: CampaignName, version: Annotated[int, Path(ge=1, le=2**31)]
    ) -> CampaignResponse:
        """Return a version of the campaign. `PUT` of it makes a new version."""
        await existing_campaign(store, app, campaign)
        found = await store.version(app, campaign, version)
        if found is None:
            raise NotFound("no such version", code="unknown_version")
        return to_campaign_response(found)


def to_campaign_response(
    campaign: Campaign, warnings: Sequence[dict[str, str]] = ()
) -> CampaignResponse:
    return CampaignResponse(**campaign.model_dump(), warnings=list(warnings) or None)


async def existing_campaign(store: CampaignStore, app: str, campaign: str) -> Campaign:
    """Return the campaign. Raises NotFound, which has the nearest known name."""
    found = await store.campaign(app, campaign)
    if found is None:
        hint = did_you_mean(campaign, await store.ids_of(app))
        raise NotFound(f"no such campaign{hint}", code="unknown_campaign")
    return found
