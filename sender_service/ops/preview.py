"""`POST /v1/sends/preview`: a send's audience, suppressions, texts and duration, without sending."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from sender_service.intake.accept import Intake
from sender_service.intake.lines import to_lines
from sender_service.intake.naming import without_nobody
from sender_service.intake.request import TriggerRequest
from sender_service.models.malformed import (
    show_malformed,
)
from sender_service.models.policy import AppPolicy
from sender_service.models.send import Send
from sender_service.models.trigger import Terms
from sender_service.ops.asked import PreviewRequest, read_lines, read_whole
from sender_service.ops.auth import require_app
from sender_service.ops.bodies import FirstLine, is_lines, read_trigger
from sender_service.ops.document import TRIGGER_DOC
from sender_service.ops.examples import PREVIEW, answers
from sender_service.ops.forecast import Load, forecast, rate_of, window_of
from sender_service.ops.responses.base import WarningResponse
from sender_service.ops.responses.preview import (
    ForecastResponse,
    PreviewResponse,
    QuietHoursWaitResponse,
    SampleResponse,
)
from sender_service.planner.audience import AudienceReader
from sender_service.planner.building import PagePlan
from sender_service.planner.dry_run import (
    DryRun,
    DryRunLimits,
    DryRunResult,
    Sample,
    rendered_body,
)
from sender_service.planner.paging import bad_share_message
from sender_service.planner.rendering import Renderer, compiling
from sender_service.planner.trying import size_warnings
from sender_service.scheduler.budget import MAX_CALL, MessageBudget
from sender_service.store.campaigns import CampaignStore
from sender_service.store.contacts import ContactStore
from shared.apps import AppRegistry
from shared.errors import InvalidPayload, NotFound
from shared.settings import Settings

DEFAULT_PREVIEW_PEOPLE = 10_000  # planned by default: about a second
MOST_PEOPLE = 200_000
SECONDS = 20.0  # of planning; then the counts are extrapolated


@dataclass(frozen=True)
class PreviewTools:
    intake: Intake
    apps: AppRegistry
    campaigns: CampaignStore
    audience: AudienceReader
    contacts: ContactStore
    budget: MessageBudget | None
    settings: Settings


def preview_router(tools: PreviewTools) -> APIRouter:
    router = APIRouter(prefix="/v1/sends", tags=["sends"])

    @router.post("/preview", openapi_extra=TRIGGER_DOC, responses=answers(PREVIEW))
    async def preview(
        request: Request,
        people: Annotated[int, Query(ge=1, le=MOST_PEOPLE)] = DEFAULT_PREVIEW_PEOPLE,
        first: FirstLine = 1,
    ) -> PreviewResponse:
        """Plan a send; send and store nothing. The body is that of `POST /v1/sends`; `id` is optional.

        Of a large audience about `people` are planned, and the counts are extrapolated:
        `"exact": false`.
        """

        def check_app(app: str) -> None:
            require_app(request, app)

        if is_lines(request):
            preview_request = await read_lines(
                tools.intake, to_lines(request.stream(), first), people, check_app
            )
        else:
            preview_request = read_whole(await read_trigger(request))
            check_app(preview_request.terms.app)
        return await _preview(tools, preview_request, people)

    return router


async def _preview(
    tools: PreviewTools, preview_request: PreviewRequest, people: int
) -> PreviewResponse:
    due, _ = await tools.intake.check(preview_request.terms)
    terms = without_nobody(
        preview_request.terms, tools.intake.allowed_logins(preview_request.terms.app)
    )
    if isinstance(terms, InvalidPayload):
        raise terms
    preview_request = replace(preview_request, terms=terms)
    send = await tools.intake.to_send(
        TriggerRequest(preview_request.terms, preview_request.terms, "")
    )
    plan = await _plan(tools, send, preview_request.terms)
    dry_run = DryRun(plan, preview_request.target(due), tools.audience, tools.contacts)
    found = await dry_run.run(DryRunLimits(people, SECONDS), due)
    found.share *= preview_request.share
    fields = {
        "app": send.app,
        "campaign": send.campaign,
        "exact": found.share >= 1,
        "planned": {"people": found.people, "share": round(found.share, 4)},
        **_counts(found, terms.malformed.count),
        "malformed": show_malformed({"0": terms.malformed}),
        "refusal": _refusal(found),
        "warnings": [
            *_warnings(found, dry_run.calls_for(found.texts)),
            *size_warnings(plan.renderer.largest),
        ],
        "samples": [_to_sample(sample) for sample in found.best_samples],
        "quietHours": _quiet(found),
        "forecast": await _forecast(tools, send, found),
    }
    return PreviewResponse(**fields)


async def _plan(tools: PreviewTools, send: Send, trigger: Terms) -> PagePlan:
    """Return a page plan as the planner makes it. Raises NotFound."""
    campaign = await tools.campaigns.campaign(trigger.app, trigger.campaign)
    if campaign is None:  # deleted since the check
        raise NotFound("campaign: there is none of this name", code="unknown_campaign")
    if tools.budget is not None:
        await tools.budget.counts.refresh(trigger.app)
    most = tools.budget.chunk_members(trigger.app) if tools.budget is not None else MAX_CALL
    page = tools.settings.plan.page_members
    app = tools.apps.get(trigger.app)
    async for _ in compiling(campaign):
        pass
    of_app = AppPolicy.of(app)
    renderer = Renderer(trigger.variables, time_zone=of_app.time_zone)
    return PagePlan(send, campaign, renderer, page, min(page, most), of_app)


def _whole(count: int, found: DryRunResult) -> int:
    """Extrapolate a count to the whole audience, where only a part of it was planned."""
    return count if found.share >= 1 or found.share == 0 else round(count / found.share)


def _counts(found: DryRunResult, malformed: int) -> dict[str, Any]:
    sums = found.sums
    return {
        "audience": _whole(sums["audience"], found),
        "wouldReceive": {
            "people": _whole(sums["people"]["pending"], found),
            "players": _whole(sums["pending"], found),
        },
        "suppressed": {r: _whole(n, found) for r, n in sums["suppressed"].items()},
        "failed": {r: _whole(n, found) for r, n in sums["failed"].items()},
        "people": {
            place: _whole(n, found)
            for place, n in sums["people"].items()
            if place not in ("sent", "pending")
        }
        | {"malformed": malformed},
    }


def _refusal(found: DryRunResult) -> str | None:
    if found.too_dear:
        return "texts_too_dear: the texts take too much work"
    if found.people and found.too_many_bad:
        return f"bad_variables: {bad_share_message(found.bad, found.people, found.fault)}"
    return None


def _warnings(found: DryRunResult, common: int) -> list[WarningResponse]:
    """Return warnings about texts that split calls and about unknown time zones."""
    warnings = []
    if found.split:
        calls, fewer = _whole(found.calls, found), _whole(common, found)
        message = (
            f"links differ from person to person where texts don't: {calls} calls, "
            f"where a link that is the same for all would need {fewer}"
        )
        warnings.append(WarningResponse(code="links_split_calls", message=message))
    if found.no_zone:
        message = (
            f"quiet hours: the time zone of {_whole(found.no_zone, found)} people isn't known, and"
            " the app has no timeZone: their night is UTC's"
        )
        warnings.append(WarningResponse(code="time_zone_unknown", message=message))
    return warnings


def _to_sample(sample: Sample) -> SampleResponse:
    return SampleResponse(
        player=sample.player,
        language=sample.language,
        variant=sample.variant,
        **rendered_body(sample.body),
    )


def _quiet(found: DryRunResult) -> QuietHoursWaitResponse | None:
    if found.quiet_until is None:
        return None
    return QuietHoursWaitResponse(waiting=_whole(found.quiet, found), until=found.quiet_until)


async def _forecast(tools: PreviewTools, send: Send, found: DryRunResult) -> ForecastResponse:
    load = Load(_whole(found.calls, found), _whole(found.sums["pending"], found))
    return forecast(
        load, rate_of(tools.apps, send.app, tools.settings), await window_of(tools.budget, send)
    )
