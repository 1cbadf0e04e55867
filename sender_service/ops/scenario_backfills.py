"""`/v1/apps/{app}/scenarios/{scenario}/backfill` and `/backfills/{n}`: entries of before it was on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Le
from fastapi import APIRouter, Path
from pydantic import Strict as Exactly

from sender_service.models.scenario.backfill import MAX_BACK, MAX_SPREAD, MIN_SPREAD, Backfill
from sender_service.models.scenario.entry_rules import is_of_moment
from sender_service.models.scenario.scenario import MINUTE, Scenario
from sender_service.models.segment_values import Strict
from sender_service.ops.apps import existing_app
from sender_service.ops.auth import needs
from sender_service.ops.bodies import json_body
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import AT, answers
from sender_service.ops.responses.backfills import BackfillResponse
from sender_service.ops.scenario_examples import BACKFILL
from sender_service.ops.scenario_paths import AppName, ScenarioName, existing_scenario
from shared.clock import CLOCK_SKEW
from shared.errors import Conflict, FieldError, InvalidPayload, NotFound
from shared.models.wire import WrittenMoment


class BackfillRequest(Strict):
    """The body of `POST …/backfill`. `since`: at most 7 days ago; `spread`: minutes."""

    since: WrittenMoment
    spread: Annotated[int, Exactly(), Ge(MIN_SPREAD), Le(MAX_SPREAD)]


def backfills_router(context: OpsContext) -> APIRouter:
    router = APIRouter(prefix="/v1/apps/{app}/scenarios/{scenario}", tags=["scenarios"])
    stores = context.stores

    @router.post("/backfill", status_code=202, responses=answers(BACKFILL, 202))
    @needs("operate")
    async def backfill_scenario(
        app: AppName,
        scenario: ScenarioName,
        body: Annotated[BackfillRequest, json_body(BackfillRequest, {"since": AT, "spread": 60})],
    ) -> BackfillResponse:
        """Enter who would have entered since a time if the scenario had been on as it is now, where the
        first step is due in the future. One backfill at a time an app: 409 `already_running`."""
        await existing_app(stores.apps, app)
        found = await existing_scenario(stores.scenarios, app, scenario)
        now = context.clock()
        _check_since(body.since, now)
        _check_scenario(found)
        asked = Backfill(
            app=app,
            scenario=scenario,
            version=found.version,
            since=body.since,
            until=now,
            spread=body.spread * MINUTE,
        )
        return _to_response(await stores.backfills.begin(asked))

    @router.get("/backfills/{n}", responses=answers(BACKFILL))
    @needs("read")
    async def get_backfill(
        app: AppName,
        scenario: ScenarioName,
        n: Annotated[int, Path(description="its number", ge=1, le=2**53)],
    ) -> BackfillResponse:
        """Return a backfill, with its counts so far. It expires after 30 days."""
        found = await stores.backfills.get(app, n)
        if found is None or found.scenario != scenario:
            raise NotFound("no such backfill", code="unknown_backfill")
        return _to_response(found)

    return router


def _check_since(since: datetime, now: datetime) -> None:
    """Check that the log may have it. Raises InvalidPayload."""
    if since > now:
        raise _invalid("since", "in_future", "lies in the future")
    if since < now - MAX_BACK - CLOCK_SKEW:
        raise _invalid("since", "too_old", f"lies more than {MAX_BACK.days} days ago")


def _check_scenario(scenario: Scenario) -> None:
    """Check that moments enter people, now. Raises InvalidPayload, Conflict."""
    if not is_of_moment(scenario.entry):
        text = "only scenarios that people enter by what they do can be backfilled"
        raise InvalidPayload(f"enter.on: {text}", code="not_of_moment")
    if not scenario.enabled:
        raise Conflict("the scenario is switched off: nobody enters it", code="scenario_disabled")


def _invalid(field: str, code: str, message: str) -> InvalidPayload:
    error = FieldError(f"body.{field}", code, message)
    return InvalidPayload(f"{error.field}: {message}", code=code, errors=[error])


def _to_response(backfill: Backfill) -> BackfillResponse:
    counts = backfill.counts
    return BackfillResponse(
        n=backfill.n,
        scenario=backfill.scenario,
        version=backfill.version,
        state=backfill.state,
        since=backfill.since,
        until=backfill.until,
        spread=backfill.spread // MINUTE,
        reached=backfill.reached,
        known_since=backfill.known_since,
        moments=counts.moments,
        entered=counts.entered,
        refused=dict(counts.refused),
        fault=backfill.fault,
        finished_at=backfill.finished_at,
        expires_at=backfill.expires_at,
    )
