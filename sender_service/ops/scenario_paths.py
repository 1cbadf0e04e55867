"""Paths of scenarios: their parameters, and the scenario that they name."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from sender_service.models.scenario.scenario import Scenario
from sender_service.models.trigger import Name
from sender_service.store.scenarios import ScenarioStore
from shared.errors import NotFound
from shared.nearest import did_you_mean

AppName = Annotated[Name, Path(description="the app's id")]
ScenarioName = Annotated[Name, Path(description="the scenario's id")]


async def existing_scenario(store: ScenarioStore, app: str, scenario: str) -> Scenario:
    """Return the scenario. Raises NotFound, which has the nearest known name."""
    found = await store.get(app, scenario)
    if found is None:
        raise await unknown_scenario(store, app, scenario)
    return found


async def unknown_scenario(store: ScenarioStore, app: str, scenario: str) -> NotFound:
    hint = did_you_mean(scenario, [each.id for each in await store.find(app)])
    return NotFound(f"no such scenario{hint}", code="unknown_scenario")
