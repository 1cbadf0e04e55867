"""`POST …/scenarios/{scenario}/preview`: who would enter or be pushed now; nothing is sent or stored."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from sender_service.ops.auth import needs
from sender_service.ops.bodies import json_body
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import answers
from sender_service.ops.responses.scenario_preview import ScenarioPreviewResponse
from sender_service.ops.scenario_body import DraftRequest, check_size
from sender_service.ops.scenario_examples import SCENARIO, SCENARIO_PREVIEW
from sender_service.ops.scenario_paths import AppName, ScenarioName
from sender_service.ops.scenario_preview_run import ScenarioPreviewer

LOOKED_AT = 2_000  # looked at by default: some seconds
MOST_LOOKED_AT = 5_000  # whose variables memory keeps


class ScenarioPreviewRequest(DraftRequest):
    """The body of `POST …/preview`. `scenario`: a draft, which nothing stores; else the stored one."""


def scenario_preview_router(context: OpsContext) -> APIRouter:
    router = APIRouter(prefix="/v1/apps/{app}/scenarios/{scenario}", tags=["scenarios"])
    store, previewer = context.stores.scenarios, ScenarioPreviewer.of(context)

    @router.post("/preview", responses=answers(SCENARIO_PREVIEW))
    @needs("operate")
    async def preview_scenario(
        app: AppName,
        scenario: ScenarioName,
        _: Annotated[None, Depends(check_size)],
        body: Annotated[
            ScenarioPreviewRequest, json_body(ScenarioPreviewRequest, {"scenario": SCENARIO})
        ],
        people: Annotated[int, Query(ge=1, le=MOST_LOOKED_AT)] = LOOKED_AT,
    ) -> ScenarioPreviewResponse:
        """Return who would enter now, and who of those under way would be pushed, by reason, with up to
        20 texts. Nothing is sent or stored. A draft is looked at in the stored scenario's place, and
        either counts as on. At most `people` people and as many runs are looked at: `exact` is false
        where there are more."""
        tried = await body.tried(store, app, scenario)
        return await previewer.preview(tried, people, is_draft=body.scenario is not None)

    return router
