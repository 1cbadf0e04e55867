"""Run of a preview: the send is planned as the planner does it, and thrown away."""

from __future__ import annotations

from dataclasses import replace

from sender_service.intake.naming import without_nobody
from sender_service.intake.request import TriggerRequest
from sender_service.models.policy import AppPolicy
from sender_service.models.recipient import Recipient
from sender_service.models.send import Send
from sender_service.models.trigger import Terms
from sender_service.ops.context import OpsContext
from sender_service.ops.forecast import Load, forecast, rate_of, window_of
from sender_service.ops.preview_request import PreviewRequest
from sender_service.ops.preview_response import PlannedSend, to_preview_response
from sender_service.ops.responses.preview import ForecastResponse, PreviewResponse
from sender_service.planner.audience import AudienceReader
from sender_service.planner.building import SendPlan
from sender_service.planner.dry_run import DryRun
from sender_service.planner.dry_run_limits import DryRunLimits
from sender_service.planner.dry_run_result import DryRunResult
from sender_service.planner.rendering import Renderer, compiling
from shared.errors import InvalidPayload, NotFound

PLANNING_SECONDS = 20.0  # then the counts are extrapolated


async def run_preview(
    context: OpsContext, preview_request: PreviewRequest, limits: DryRunLimits
) -> PreviewResponse:
    """Plan within the limits; answer for all. Raises Rejected, StoreUnavailable."""
    due, _ = await context.intake.check(preview_request.terms)
    terms = without_nobody(
        preview_request.terms, context.intake.allowed_logins(preview_request.terms.app)
    )
    if isinstance(terms, InvalidPayload):
        raise terms
    preview_request = replace(preview_request, terms=terms)
    send = await context.intake.to_send(
        TriggerRequest(preview_request.terms, preview_request.terms, "")
    )
    plan = await _plan(context, send, preview_request.terms)
    dry_run = DryRun(plan, preview_request.target(due), _audience(context), context.stores.contacts)
    found = await dry_run.run(limits, due)
    found.share *= preview_request.share
    planned = PlannedSend(
        send=send,
        found=found,
        malformed=terms.malformed,
        common_calls=dry_run.calls_for(found.texts),
        largest_push=plan.renderer.largest,
        providers=context.providers,
    )
    return to_preview_response(planned, await _forecast(context, send, found))


async def preview_names(
    context: OpsContext, terms: Terms, names: list[Recipient], limits: DryRunLimits
) -> PreviewResponse:
    """Plan a send to these names within the limits. Raises Rejected, StoreUnavailable."""
    return await run_preview(context, PreviewRequest(terms, names), limits)


async def _plan(context: OpsContext, send: Send, trigger: Terms) -> SendPlan:
    """Return a page plan as the planner makes it. Raises NotFound."""
    campaign = await context.stores.campaigns.campaign(trigger.app, trigger.campaign)
    if campaign is None:  # deleted since the check
        raise NotFound("campaign: there is none of this name", code="unknown_campaign")
    chunks = await _chunk_members(context, trigger.app)
    app = context.apps.get(trigger.app)
    async for _ in compiling(campaign):
        pass
    of_app = AppPolicy.of(app)
    renderer = Renderer(trigger.variables, time_zone=of_app.time_zone)
    page = context.settings.plan.page_members
    return SendPlan(send, campaign, renderer, page, chunks, of_app)


async def _chunk_members(context: OpsContext, app_id: str) -> dict[str, int]:
    """Return the most players of a call, by provider, from fresh counts."""
    if context.budget is None:
        app, found = context.apps.get(app_id), context.providers
        return {n: p.limits(app).max_targets for n, p in found.items() if app is not None}
    for provider in context.providers:
        await context.budget.counts.refresh((app_id, provider))
    return context.budget.chunk_members(app_id)


async def _forecast(context: OpsContext, send: Send, found: DryRunResult) -> ForecastResponse:
    load = Load(found.whole(found.calls), found.whole(found.sums.pending))
    return forecast(
        load,
        rate_of(context.providers, context.apps.get(send.app), context.settings),
        await window_of(context.budget, send),
    )


def _audience(context: OpsContext) -> AudienceReader:
    stores = context.stores
    return AudienceReader(stores.people, stores.parts)
