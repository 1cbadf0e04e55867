"""Routers of scenarios, in the document's order."""

from __future__ import annotations

from sender_service.ops.scenario_people import scenario_people_router
from sender_service.ops.scenario_preview import scenario_preview_router
from sender_service.ops.scenario_simulations import simulations_router
from sender_service.ops.scenario_test import scenario_test_router
from sender_service.ops.scenarios import scenarios_router

SCENARIO_ROUTERS = (
    scenarios_router,
    scenario_people_router,
    scenario_test_router,
    scenario_preview_router,
    simulations_router,
)
