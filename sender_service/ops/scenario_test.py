"""`POST …/scenarios/{scenario}/test`: one step to one player, which no report counts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from sender_service.models.campaign import ShortId
from sender_service.models.scenario.scenario import Scenario, Step
from sender_service.ops.auth import needs
from sender_service.ops.bodies import json_body
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import SEND, answers
from sender_service.ops.push_tester import PushTester, PushTestRequest
from sender_service.ops.responses.sends import SendResponse
from sender_service.ops.scenario_paths import AppName, ScenarioName, existing_scenario
from sender_service.ops.send_view import open_send_view
from sender_service.ops.step_variables import StepVariables, wrong_field
from shared.errors import Conflict
from shared.models.documented import EXAMPLE_PLAYER_ID
from shared.models.wire import Wire
from shared.names import PlayerId
from shared.nearest import suggest


class ScenarioTestRequest(Wire):
    """Body of `POST …/scenarios/{scenario}/test`."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        json_schema_extra={"examples": [{"player": EXAMPLE_PLAYER_ID, "step": "hour"}]},
    )

    player: PlayerId
    step: ShortId


def scenario_test_router(context: OpsContext) -> APIRouter:
    router = APIRouter(prefix="/v1/apps/{app}/scenarios/{scenario}", tags=["scenarios"])
    stores, view = context.stores, open_send_view(context)
    tester = PushTester(context.intake, stores.sends)
    variables = StepVariables.of(context)

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
        step = _existing_step(found, body.step)
        campaign = await stores.campaigns.campaign(app, step.campaign)
        if campaign is None:
            message = f"the step {step.id} pushes the campaign {step.campaign}, which isn't there"
            raise Conflict(message, code="unknown_campaign")
        given = dict(await variables.read(found, step, body.player))
        test = PushTestRequest(player=body.player, variables=given)
        return await view.show(await tester.push(campaign, test))

    return router


def _existing_step(scenario: Scenario, id: str) -> Step:
    step = scenario.step(id)
    if step is None:
        hint = suggest(id, [one.id for one in scenario.steps])
        raise wrong_field("step", "unknown_step", f"no such step{hint}")
    return step
