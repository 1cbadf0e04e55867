"""`/v1/apps/{app}/scenarios/{scenario}/people` and `/firings`: who is in a scenario, what it fired."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from sender_service.models.campaign import ShortId
from sender_service.models.decide.progress import end_run
from sender_service.models.scenario.firing import Firing
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.run_name import find_run, person_of
from sender_service.ops.auth import needs, set_audit_target
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import answers
from sender_service.ops.responses.runs import (
    FiringListResponse,
    RunListResponse,
    RunResponse,
)
from sender_service.ops.run_answers import to_firing_response, to_run_response
from sender_service.ops.scenario_examples import FIRING, RUN, RUN_NAME
from sender_service.ops.scenario_paths import AppName, ScenarioName, existing_scenario
from sender_service.store.firings import FiringStore
from sender_service.store.runs import RunStore
from shared.clock import CLOCK_SKEW, Clock
from shared.errors import NotFound
from shared.models.sentences import described
from shared.models.wire import WrittenMoment

AT_ONE_TIME = 100  # firings of a scenario with one due time, which no page divides
RUN_WORDS = "must be a run's name, as `scenario people` shows it"
WrittenRun = described(r"^[0-9A-Za-z_-]{1,64}\.[0-9a-f]{12}$", RUN_WORDS)
RunName = Annotated[str, Path(description="the run's name", pattern=WrittenRun)]


def scenario_people_router(context: OpsContext) -> APIRouter:
    router = APIRouter(prefix="/v1/apps/{app}/scenarios/{scenario}", tags=["scenarios"])
    _add_people(router, context)
    _add_end(router, context)
    _add_firings(router, context)
    return router


def _add_people(router: APIRouter, context: OpsContext) -> None:
    stores = context.stores

    @router.get("/people", responses=answers({"items": [RUN], "next": RUN_NAME}))
    @needs("read")
    async def list_people(
        app: AppName,
        scenario: ScenarioName,
        state: Annotated[Literal["waiting", "over"] | None, Query()] = None,
        step: Annotated[ShortId | None, Query(description="that comes next")] = None,
        after: Annotated[str | None, Query(pattern=WrittenRun)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> RunListResponse:
        """List the scenario's runs: each is a person's way through it, from her entry on. `next` is the
        next `after`, in no order of time."""
        await existing_scenario(stores.scenarios, app, scenario)
        behind = "" if after is None else await _id_of(stores.runs, app, scenario, after)
        found = await stores.runs.find(
            app, scenario, state=state, step=step, after=behind, limit=limit + 1
        )
        runs = [to_run_response(run) for run in found[:limit]]
        return RunListResponse(items=runs, next=runs[-1].run if len(found) > limit else None)


def _add_end(router: APIRouter, context: OpsContext) -> None:
    stores = context.stores

    @router.post("/people/{run}/end", responses=answers(RUN))
    @needs("operate")
    async def end_persons_run(
        request: Request, app: AppName, scenario: ScenarioName, run: RunName
    ) -> RunResponse:
        """End a person's run: its further steps are not pushed, nor what is planned and not released. A
        run that is over stays as it is."""
        await existing_scenario(stores.scenarios, app, scenario)
        set_audit_target(request, person=person_of(run))
        return to_run_response(await _end(stores.runs, context.clock, app, scenario, run))


def _add_firings(router: APIRouter, context: OpsContext) -> None:
    stores = context.stores

    @router.get("/firings", responses=answers({"items": [FIRING], "next": FIRING["dueAt"]}))
    @needs("read")
    async def list_firings(
        app: AppName,
        scenario: ScenarioName,
        before: Annotated[WrittenMoment | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> FiringListResponse:
        """List what the scenario fired in the last 100 days, the newest first: a step, pushed to the
        people with whom it was due together. Its id is its send's. `next` is the next `before`; a page
        may be a little longer than `limit`."""
        await existing_scenario(stores.scenarios, app, scenario)
        until = before or context.clock() + CLOCK_SKEW
        found, going_on = await _page(stores.firings, app, scenario, until, limit)
        items = [to_firing_response(firing) for firing in found]
        return FiringListResponse(items=items, next=going_on)


async def _id_of(runs: RunStore, app: str, scenario: str, name: str) -> str:
    """Return the id behind which the list goes on, also where the run is gone meanwhile."""
    person = person_of(name)
    run = find_run(name, await runs.of_person(app, person))
    return f"{app}:{scenario}:{person}:" if run is None else run.id


async def _end(runs: RunStore, clock: Clock, app: str, scenario: str, name: str) -> Run:
    """End the run, on its present state. Raises NotFound."""
    while True:
        of_person = await runs.of_person(app, person_of(name))
        run = find_run(name, (one for one in of_person if one.scenario == scenario))
        if run is None:
            raise NotFound("no such run", code="unknown_run")
        ended = end_run(run, "ended", clock())
        if ended is run or await runs.replace(ended):
            return ended


async def _page(
    firings: FiringStore, app: str, scenario: str, before: datetime, limit: int
) -> tuple[list[Firing], datetime | None]:
    """Return a page, which ends where the due time changes, and the next one's `before`."""
    found = await firings.find(app, scenario, before, limit + AT_ONE_TIME)
    if len(found) <= limit:
        return found, None
    last = found[limit - 1].due_at
    page = [firing for firing in found if firing.due_at >= last]
    return page, last if len(page) < len(found) else None
