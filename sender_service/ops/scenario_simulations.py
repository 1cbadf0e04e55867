"""`/v1/apps/{app}/scenarios/{scenario}/simulate` and `/simulations/{n}`: what it would have pushed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from annotated_types import Ge, Le
from fastapi import APIRouter, Path
from pydantic import Field
from pydantic import Strict as Exactly

from sender_service.models.scenario.entry_rules import is_of_moment
from sender_service.models.scenario.language import ScenarioRequest
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.scenario.simulation import Simulation
from sender_service.models.segment_values import Strict
from sender_service.ops.apps import existing_app
from sender_service.ops.auth import needs
from sender_service.ops.bodies import json_body
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import answers
from sender_service.ops.responses.simulations import SimulationResponse
from sender_service.ops.scenario_examples import SCENARIO, SIMULATION
from sender_service.ops.scenario_paths import AppName, ScenarioName, existing_scenario
from sender_service.ops.simulation_answers import to_simulation_response
from shared.errors import FieldError, InvalidPayload, NotFound


class SimulateRequest(Strict):
    """The body of `POST …/simulate`. `scenario`: a draft, which nothing stores; else the stored one."""

    days: Annotated[int, Exactly(), Ge(1), Le(14)]
    scenario: ScenarioRequest | None = Field(default=None)


def simulations_router(context: OpsContext) -> APIRouter:
    router = APIRouter(prefix="/v1/apps/{app}/scenarios/{scenario}", tags=["scenarios"])
    stores = context.stores

    @router.post("/simulate", status_code=202, responses=answers(SIMULATION, 202))
    @needs("operate")
    async def simulate_scenario(
        app: AppName,
        scenario: ScenarioName,
        body: Annotated[
            SimulateRequest, json_body(SimulateRequest, {"days": 7, "scenario": SCENARIO})
        ],
    ) -> SimulationResponse:
        """Simulate a draft, or the stored scenario, over the last days of a sample of the app's people.
        Nothing is pushed. One simulation at a time an app: 409 `already_running`."""
        await existing_app(stores.apps, app)
        if body.scenario is None:
            draft = await existing_scenario(stores.scenarios, app, scenario)
        else:
            draft = body.scenario.to_scenario(app, scenario)
        _check_entry(draft)
        now = context.clock()
        as_if_on = replace(draft, version=0, enabled=True, off=())
        since = now - timedelta(days=body.days)
        asked = Simulation(app=app, draft=as_if_on, since=since, until=now)
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

    return router


def _check_entry(scenario: Scenario) -> None:
    """Check that moments enter people. Raises InvalidPayload."""
    if not is_of_moment(scenario.entry):
        message = "only scenarios that people enter by what they do can be simulated"
        error = FieldError("body.scenario.enter.on", "not_of_moment", message)
        raise InvalidPayload(f"{error.field}: {message}", code=error.code, errors=[error])
