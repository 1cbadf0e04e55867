"""Results of campaigns: reports, and test pushes with their accounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from sender_service.ops.auth import needs
from sender_service.ops.bodies import json_body
from sender_service.ops.campaigns import AppName, CampaignName, existing_campaign
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import APP_REPORT, REPORT, SEND, answers
from sender_service.ops.push_tester import PushTester, PushTestRequest
from sender_service.ops.reports import by_location, open_reports
from sender_service.ops.responses.reports import AppReportResponse, ReportResponse
from sender_service.ops.responses.sends import SendResponse
from sender_service.ops.send_view import open_send_view
from sender_service.ops.unknown_app import require_known_app


def results_router(context: OpsContext) -> APIRouter:
    router = APIRouter(prefix="/v1/apps/{app}", tags=["campaigns"])
    store, reports = context.stores.campaigns, open_reports(context)
    view = open_send_view(context)
    tester = PushTester(context.intake, context.stores.sends)

    @router.get("/campaigns/{campaign}/report", responses=answers(REPORT))
    @needs("read")
    async def report(app: AppName, campaign: CampaignName) -> ReportResponse:
        """Return totals over the campaign's sends, by variant and by browser. Rates are over the
        `measurable` pushes: those to browsers that ever reported. Test pushes don't count."""
        return await reports.of_campaign(await existing_campaign(store, app, campaign))

    @router.get("/report", responses=answers(APP_REPORT))
    @needs("read")
    async def app_report(app: AppName) -> AppReportResponse:
        """Return the reports of all campaigns of the app, and totals by their offers' locations."""
        await require_known_app(context.apps, app)
        items = [await reports.of_campaign(campaign) for campaign in await store.of_app(app)]
        return AppReportResponse(items=items, locations=by_location(items))

    @router.post("/campaigns/{campaign}/test", status_code=202, responses=answers(SEND, 202))
    @needs("operate")
    async def test_push(
        app: AppName,
        campaign: CampaignName,
        body: Annotated[PushTestRequest, json_body(PushTestRequest)],
    ) -> SendResponse:
        """Push to one player: a transactional send, which no report counts."""
        return await view.show(
            await tester.push(await existing_campaign(store, app, campaign), body)
        )

    return router
