"""`POST /v1/sends/preview`: a send's audience, suppressions, texts and duration, without sending."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from sender_service.intake.lines import to_lines
from sender_service.ops.auth import require_app
from sender_service.ops.bodies import FirstLine, is_lines, read_trigger
from sender_service.ops.context import OpsContext
from sender_service.ops.document import TRIGGER_DOC
from sender_service.ops.examples import PREVIEW, answers
from sender_service.ops.preview_request import read_lines, read_whole
from sender_service.ops.preview_run import PLANNING_SECONDS, run_preview
from sender_service.ops.responses.preview import PreviewResponse
from sender_service.planner.dry_run_limits import DryRunLimits

DEFAULT_PREVIEW_PEOPLE = 10_000  # planned by default: about a second
MOST_PEOPLE = 200_000


def preview_router(context: OpsContext) -> APIRouter:
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
                context.intake, to_lines(request.stream(), first), people, check_app
            )
        else:
            preview_request = read_whole(await read_trigger(request))
            check_app(preview_request.terms.app)
        limits = DryRunLimits(people, PLANNING_SECONDS)
        return await run_preview(context, preview_request, limits)

    return router
