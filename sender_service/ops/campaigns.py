"""`/v1/apps/{app}/campaigns`: offers, their reports, test pushes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request

from sender_service.models.campaign import Campaign, CampaignBody, texts_in
from sender_service.models.templates import check_ahead
from sender_service.models.trigger import Name
from sender_service.models.unknown_app import UnknownApp
from sender_service.ops.auth import needs
from sender_service.ops.bodies import json_body
from sender_service.ops.examples import (
    APP_REPORT,
    CAMPAIGN,
    REPORT,
    SEND,
    STORED_CAMPAIGN,
    answers,
)
from sender_service.ops.push_tester import PushTester, PushTestRequest
from sender_service.ops.reports import Reports, by_location
from sender_service.ops.responses.base import Items
from sender_service.ops.responses.campaigns import CampaignResponse
from sender_service.ops.responses.reports import AppReportResponse, ReportResponse
from sender_service.ops.responses.sends import SendResponse
from sender_service.planner.audience import AudienceReader
from sender_service.planner.trying import try_texts
from sender_service.store.campaigns import CampaignStore, campaign_key, to_campaign
from shared.apps import AppRegistry
from shared.errors import InvalidPayload, NotFound
from shared.nearest import did_you_mean

MOST_VERSIONS = 100
CAMPAIGN_READ_ONLY = frozenset({"id", "app", "version"})  # `PUT` ignores them

AppName = Annotated[Name, Path(description="the app's id")]
CampaignName = Annotated[Name, Path(description="the campaign's id")]


@dataclass(frozen=True)
class CampaignTools:
    store: CampaignStore
    registry: AppRegistry
    reports: Reports
    tests: PushTester
    audience: AudienceReader


def campaigns_router(tools: CampaignTools) -> APIRouter:
    router = APIRouter(prefix="/v1/apps/{app}", tags=["campaigns"])
    _add_offers(router, tools)
    _add_versions(router, tools.store)
    _add_results(router, tools)
    return router


def _add_offers(router: APIRouter, tools: CampaignTools) -> None:
    store = tools.store

    @router.get("/campaigns", responses=answers({"items": [STORED_CAMPAIGN]}))
    @needs("read")
    async def list_campaigns(app: AppName) -> Items[CampaignResponse]:
        await require_known_app(tools.registry, app)
        found = await store.find({"app": app})
        return Items(items=[to_campaign_response(to_campaign(each)) for each in found])

    @router.get("/campaigns/{campaign}", responses=answers(STORED_CAMPAIGN))
    @needs("read")
    async def get_campaign(app: AppName, campaign: CampaignName) -> CampaignResponse:
        return to_campaign_response(await _existing(store, app, campaign))

    @router.put("/campaigns/{campaign}", responses=answers(STORED_CAMPAIGN))
    @needs("operate")
    async def put_campaign(
        app: AppName,
        campaign: CampaignName,
        _: Annotated[None, Depends(_check_ahead)],
        body: Annotated[
            CampaignBody, json_body(CampaignBody, CAMPAIGN, read_only=CAMPAIGN_READ_ONLY)
        ],
    ) -> CampaignResponse:
        """Create or change a campaign. Each change is a version; a send keeps its first one.

        `warnings`, only where there are any: texts that would fail for some of 500 people, by
        their profiles, and pushes that are nearly too large."""
        await require_known_app(tools.registry, app)
        content = {**body.document(), "app": app, "id": campaign}
        requested = to_campaign({**content, "version": 0})
        found = await try_texts(requested, tools.audience)
        stored = to_campaign(await store.put(campaign_key(app, campaign), content))
        return to_campaign_response(stored, found)


async def _check_ahead(request: Request) -> None:
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
    await asyncio.to_thread(check_ahead, sources)


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
        await _existing(store, app, campaign)
        found = await store.versions(app, campaign, before, limit)
        return Items(items=[to_campaign_response(version) for version in found])

    @router.get("/campaigns/{campaign}/versions/{version}", responses=answers(STORED_CAMPAIGN))
    @needs("read")
    async def get_version(
        app: AppName, campaign: CampaignName, version: Annotated[int, Path(ge=1, le=2**31)]
    ) -> CampaignResponse:
        """Return a version of the campaign. `PUT` of it makes a new version."""
        await _existing(store, app, campaign)
        found = await store.version(app, campaign, version)
        if found is None:
            raise NotFound("no such version", code="unknown_version")
        return to_campaign_response(found)


def _add_results(router: APIRouter, tools: CampaignTools) -> None:
    store = tools.store

    @router.get("/campaigns/{campaign}/report", responses=answers(REPORT))
    @needs("read")
    async def report(app: AppName, campaign: CampaignName) -> ReportResponse:
        """Return totals over the campaign's sends, by variant and by browser. Rates are over the
        `measurable` pushes: those to browsers that ever reported. Test pushes don't count."""
        return await tools.reports.of_campaign(await _existing(store, app, campaign))

    @router.get("/report", responses=answers(APP_REPORT))
    @needs("read")
    async def app_report(app: AppName) -> AppReportResponse:
        """Return the reports of all campaigns of the app, and totals by their offers' locations."""
        await require_known_app(tools.registry, app)
        campaigns = [to_campaign(d) for d in await store.find({"app": app})]
        items = [await tools.reports.of_campaign(campaign) for campaign in campaigns]
        return AppReportResponse(items=items, locations=by_location(items))

    @router.post("/campaigns/{campaign}/test", status_code=202, responses=answers(SEND, 202))
    @needs("operate")
    async def test_push(
        app: AppName,
        campaign: CampaignName,
        body: Annotated[PushTestRequest, json_body(PushTestRequest)],
    ) -> SendResponse:
        """Push to one player: a transactional send, which no report counts."""
        return await tools.tests.push(await _existing(store, app, campaign), body)


def to_campaign_response(
    campaign: Campaign, warnings: Sequence[dict[str, str]] = ()
) -> CampaignResponse:
    return CampaignResponse(**campaign.model_dump(), warnings=list(warnings) or None)


async def require_known_app(registry: AppRegistry, app: str) -> None:
    """Check that the app exists. Raises UnknownApp."""
    if registry.get(app) is None:
        await registry.refresh()
    if registry.get(app) is None:
        raise UnknownApp(app)


async def _existing(store: CampaignStore, app: str, campaign: str) -> Campaign:
    found = await store.campaign(app, campaign)
    if found is None:
        hint = did_you_mean(campaign, await store.ids_of(app))
        raise NotFound(f"no such campaign{hint}", code="unknown_campaign")
    return found
