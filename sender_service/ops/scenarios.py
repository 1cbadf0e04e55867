"""`/v1/apps/{app}/scenarios`: scenarios and their versions; and templates of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Query

from sender_service.models.scenario.language import ScenarioRequest
from sender_service.ops.apps import existing_app
from sender_service.ops.auth import needs
from sender_service.ops.bodies import json_body
from sender_service.ops.campaigns import MOST_VERSIONS
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import answers
from sender_service.ops.responses.base import Items, RemovedResponse
from sender_service.ops.responses.scenarios import (
    ListedScenarioResponse,
    ScenarioResponse,
    ScenarioTemplateResponse,
)
from sender_service.ops.scenario_body import SCENARIO_READ_ONLY, check_size
from sender_service.ops.scenario_checks import check_requirements
from sender_service.ops.scenario_examples import (
    LISTED_SCENARIO,
    SCENARIO,
    SCENARIO_TEMPLATE,
    SCENARIO_VERSION,
    STORED_SCENARIO,
)
from sender_service.ops.scenario_list import ScenarioLister, to_scenario_response
from sender_service.ops.scenario_paths import (
    AppName,
    ScenarioName,
    existing_scenario,
    unknown_scenario,
)
from sender_service.ops.scenario_templates import load_templates
from sender_service.ops.waiting_counts import WaitingCounts
from sender_service.store.runs import RunStore
from shared.errors import StoreUnavailable


def scenarios_router(context: OpsContext) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["scenarios"])
    _add_reads(router, context)
    _add_changes(router, context)
    return router


def _add_reads(router: APIRouter, context: OpsContext) -> None:
    store = context.stores.scenarios

    waiting = WaitingCounts(context.stores.scenario_figures, context.monotonic)
    lister = ScenarioLister(context.stores, waiting, context.clock)

    @router.get("/apps/{app}/scenarios", responses=answers({"items": [LISTED_SCENARIO]}))
    @needs("read")
    async def list_scenarios(app: AppName) -> Items[ListedScenarioResponse]:
        """List the app's scenarios, by id, with how many wait, what was pushed since the app's midnight,
        and the last trouble."""
        return Items(items=await lister.list(await existing_app(context.stores.apps, app)))

    @router.get("/apps/{app}/scenarios/{scenario}", responses=answers(STORED_SCENARIO))
    @needs("read")
    async def get_scenario(app: AppName, scenario: ScenarioName) -> ScenarioResponse:
        """Return a scenario. `off`: its last 50 intervals off, the first from before it was made."""
        return to_scenario_response(await existing_scenario(store, app, scenario))

    @router.get(
        "/apps/{app}/scenarios/{scenario}/versions",
        responses=answers({"items": [SCENARIO_VERSION]}),
    )
    @needs("read")
    async def list_versions(
        app: AppName,
        scenario: ScenarioName,
        before: Annotated[int | None, Query(ge=1)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_VERSIONS)] = MOST_VERSIONS,
    ) -> Items[ScenarioResponse]:
        """List the scenario's versions, the newest first. The last one's version as `before` continues
        the list."""
        await existing_scenario(store, app, scenario)
        found = await store.list_versions(app, scenario, before, limit)
        return Items(items=[to_scenario_response(each) for each in found])

    @router.get("/scenario-templates", responses=answers({"items": [SCENARIO_TEMPLATE]}))
    @needs("read")
    async def list_templates() -> Items[ScenarioTemplateResponse]:
        """List templates: scenarios that are off, with the campaigns that they name."""
        return Items(items=load_templates())


def _add_changes(router: APIRouter, context: OpsContext) -> None:
    stores = context.stores

    @router.put("/apps/{app}/scenarios/{scenario}", responses=answers(STORED_SCENARIO))
    @needs("operate")
    async def put_scenario(
        app: AppName,
        scenario: ScenarioName,
        _: Annotated[None, Depends(check_size)],
        body: Annotated[
            ScenarioRequest,
            json_body(ScenarioRequest, SCENARIO, read_only=SCENARIO_READ_ONLY),
        ],
        after: BackgroundTasks,
    ) -> ScenarioResponse:
        """Create or change a scenario. Each change is a version; an identical body makes none. Who is
        under way goes on by the version she entered under, where the new one agrees."""
        known = await existing_app(stores.apps, app)
        requested = body.to_scenario(app, scenario)
        await check_requirements(stores.campaigns, known, requested)
        before, now = await stores.scenarios.get(app, scenario), context.clock()
        stored = await stores.scenarios.put(requested, now)
        if before is None and stored.version > 1:
            # Runs of the deleted one that nobody has ended yet must not go on in this one.
            after.add_task(_end_runs, stores.runs, app, scenario, stored.version - 1, now)
        return to_scenario_response(stored)

    @router.delete(
        "/apps/{app}/scenarios/{scenario}",
        responses=answers({"id": "abandoned-basket", "removed": True}),
    )
    @needs("operate")
    async def delete_scenario(
        app: AppName, scenario: ScenarioName, after: BackgroundTasks
    ) -> RemovedResponse:
        """Delete a scenario: nobody enters it any more, and who waits in it gets no push. Their runs
        end soon after. A new one of this id goes on with its versions' numbers."""
        now = context.clock()
        version = await stores.scenarios.delete(app, scenario, now)
        if version is None:
            raise await unknown_scenario(stores.scenarios, app, scenario)
        # A hundred thousand take minutes, so the answer doesn't wait for them.
        after.add_task(_end_runs, stores.runs, app, scenario, version, now)
        return RemovedResponse(id=scenario, removed=True)


async def _end_runs(runs: RunStore, app: str, scenario: str, version: int, now: datetime) -> None:
    # Those that are left are ended when they are due (decide's rule `on`).
    with suppress(StoreUnavailable):
        await runs.end_all(app, scenario, "deleted", now, version=version)
