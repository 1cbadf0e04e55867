"""Scenarios as the API answers them, and the list of an app's, each with what it does now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import time, timedelta

from sender_service.models.scenario.scenario import Scenario
from sender_service.models.scenario.trouble import Trouble
from sender_service.ops.responses.scenarios import (
    ListedScenarioResponse,
    ScenarioResponse,
    TroubleResponse,
)
from sender_service.ops.waiting_counts import WaitingCounts
from sender_service.store.scenario_codec import encode_body, encode_off
from sender_service.store.scenario_figures import Fired
from sender_service.store.stores import Stores
from shared.clock import Clock
from shared.models.app import App
from shared.models.quiet_hours import first_instant, zone_for

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ScenarioLister:
    stores: Stores
    waiting: WaitingCounts
    clock: Clock

    async def list(self, app: App) -> list[ListedScenarioResponse]:
        """Return the app's scenarios, by id. Raises StoreUnavailable."""
        figures, now = self.stores.scenario_figures, self.clock()
        today = first_instant(now, 0, time(), zone_for(app.time_zone, None))
        scenarios = await self.stores.scenarios.find(app.id)
        since = min(today, now - A_DAY)
        waiting = await self.waiting.of_app(app.id)
        fired = await asyncio.gather(
            *(figures.fired(app.id, one.id, since, today) for one in scenarios)
        )
        return [
            _listed(one, waiting.get(one.id, 0), of_one)
            for one, of_one in zip(scenarios, fired, strict=True)
        ]


def to_scenario_response(scenario: Scenario) -> ScenarioResponse:
    """Return a scenario as the API answers it; `off` is absent where it has none, as a version."""
    return ScenarioResponse.model_validate(_fields_of(scenario))


def _fields_of(scenario: Scenario) -> dict[str, object]:
    return {
        **encode_body(scenario),
        "id": scenario.id,
        "app": scenario.app,
        "version": scenario.version,
        "off": encode_off(scenario.off) or None,
    }


def _listed(scenario: Scenario, waiting: int, fired: Fired) -> ListedScenarioResponse:
    figures = {
        "waiting": waiting,
        "pushedToday": fired.sent,
        "lastTrouble": _show_trouble(fired.trouble),
    }
    return ListedScenarioResponse.model_validate({**_fields_of(scenario), **figures})


def _show_trouble(trouble: Trouble | None) -> TroubleResponse | None:
    if trouble is None:
        return None
    firing = trouble.firing
    return TroubleResponse(
        at=firing.due_at, send=firing.id, step=firing.step, why=trouble.why, people=trouble.people
    )
