"""`/v1/apps/{app}/scenarios/{scenario}/preview`, `/test`, `/simulate`: a scenario is tried."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from sender_service.models.scenario.simulation import Simulation
from sender_service.ops.apps import existing_app
from sender_service.ops.auth import needs
from sender_service.ops.bodies import json_body
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import SEND, answers
from sender_service.ops.preview_run import preview_names
from sender_service.ops.push_tester import PushTester, PushTestRequest
from sender_service.ops.responses.scenario_preview import ScenarioPreviewResponse
from sender_service.ops.responses.sends import SendResponse
from sender_service.ops.responses.simulations import SimulationResponse
from sender_service.ops.scenario_body import check_size
from sender_service.ops.scenario_draft_bodies import (
    ScenarioPreviewRequest,
    ScenarioTestRequest,
    SimulateRequest,
    check_entry,
    existing_step,
)
from sender_service.ops.scenario_examples import SCENARIO, SCENARIO_PREVIEW, SIMULATION
from sender_service.ops.scenario_paths import AppName, ScenarioName, existing_scenario
from sender_service.ops.scenario_preview_run import ScenarioPreviewer
from sender_service.ops.send_view import open_send_view
from sender_service.ops.simulation_answers import to_simulation_response
from sender_service.ops.step_variables import StepVariables
from shared.errors import Conflict, NotFound

LOOKED_AT = 2_000  # looked at by default: some seconds
MOST_LOOKED_AT = 5_000  # whose variables memory keeps


def scenario_drafts_router(context: OpsContext) -> APIRouter:
    router = APIRouter(prefix="/v1/apps/{app}/scenarios/{scenario}", tags=["scenarios"])
    _add_preview(router, context)
    _add_test(router, context)
    _add_simulations(router, context)
    return router


def _add_preview(router: APIRouter, context: OpsContext) -> None:
    store = context.stores.scenarios
    previewer = ScenarioPreviewer.of(context, partial(preview_names, context))

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


def _add_test(router: APIRouter, context: OpsContext) -> None:
    stores, view = context.stores, open_send_view(context)
    tester, variables = PushTester(context.intake, stores.sends), StepVariables.of(context)

    @router.post("/test", status_code=202, responses=answers(SEND, 202))
    @needs("operate")
    async def test_step(
        app: AppName,
        scenario: ScenarioName,
        body: Annotated[ScenarioTestRequest, json_body(ScenarioTestRequest)],
    ) -> SendResponse:
        """Push a step to one player, whatever its conditions and waits: a transactional send, which no
        report counts. Its items are chosen for the player's person, by her last entry."""
        found = await existing_scenario(stores.scenarios, app, scenario)
        step = existing_step(found, body.step)
        campaign = await stores.campaigns.campaign(app, step.campaign)
        if campaign is None:
            message = f"the step {step.id} pushes the campaign {step.campaign}, which isn't there"
            raise Conflict(message, code="unknown_campaign")
        given = dict(await variables.read(found, step, body.player))
        test = PushTestRequest(player=body.player, variables=given)
        return await view.show(await tester.push(campaign, test))


def _add_simulations(router: APIRouter, context: OpsContext) -> None:
    stores = context.stores

    @router.post("/simulate", status_code=202, responses=answers(SIMULATION, 202))
    @needs("operate")
    async def simulate_scenario(
        app: AppName,
        scenario: ScenarioName,
        _: Annotated[None, Depends(check_size)],
        body: Annotated[
            SimulateRequest, json_body(SimulateRequest, {"days": 7, "scenario": SCENARIO})
        ],
    ) -> SimulationResponse:
        """Simulate a draft, or the stored scenario, over the last days of a sample of the app's people.
        Nothing is pushed. One simulation at a time an app: 409 `already_running`."""
        await existing_app(stores.apps, app)
        draft = replace(await body.tried(stores.scenarios, app, scenario), version=0)
        check_entry(draft)
        now = context.clock()
        since = now - timedelta(days=body.days)
        asked = Simulation(app=app, draft=draft, since=since, until=now)
        return to_simulation_response(await stores.simulations.begin(asked))

    @router.get("/simulations/{n}", responses=answers(SIMULATION))
    @needs("read")
    async def get_simulation(
        app: AppName,
        scenario: ScenarioName,
        n: Annotated[int, Path(description="its number", ge=1, le=2**53)],
    ) -> SimulationResponse:
        """Return a simulation, and its result once it is done. It expires after 30 days."""
        found = await stores.simulations.get(app, n)
        if found is None or found.draft.id != scenario:
            raise NotFound("no such simulation", code="unknown_simulation")
        return to_simulation_response(found)
