"""Scenarios for generated requests to meet: with runs, a simulation and a backfill."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sender_service.models.scenario.run_name import run_name
from sender_service.store.run_codec import encode_run
from shared.clock import utc_now
from shared.models.wire import to_iso
from tests.faults.fault_cluster import FaultCluster
from tests.unit.sender.scenario_builders import run_of

RUNS = 12
STEP = "hour"
SCENARIO: dict[str, Any] = {
    "name": "Again", "enabled": True, "enter": {"on": "basket"},
    "steps": [{"id": STEP, "campaign": "hello"}],
}  # fmt: skip
YESTERDAY, NEXT_WEEK = timedelta(days=1), timedelta(days=7)


async def make_scenarios(world: FaultCluster, app: str, *names: str) -> list[str]:
    """Put scenarios; return names of runs of the first, which waits long and has been tried."""
    for name in names:
        await world.ops("PUT", f"/v1/apps/{app}/scenarios/{name}", json=SCENARIO)
    path = f"/v1/apps/{app}/scenarios/{names[0]}"
    for task in ("simulate", "backfill"):
        body: dict[str, Any] = {}
        TASKS[task](body)
        await world.ops("POST", f"{path}/{task}", json=body)
    waiting: dict[str, Any] = {"app": app, "scenario": names[0], "due": utc_now() + NEXT_WEEK}
    runs = [run_of(person=f"waits-{number}", **waiting) for number in range(RUNS)]
    async with world.mongo() as database:
        await database["runs"].insert_many([encode_run(run) for run in runs])
    return [run_name(run) for run in runs]


def fit_scenario(body: dict[str, Any]) -> None:
    """Replace a generated scenario: few of them name campaigns that exist."""
    body.clear()
    body.update(SCENARIO)


def _fit_stored(body: dict[str, Any]) -> None:
    """Try the stored scenario."""
    body.pop("scenario", None)


def _fit_simulation(body: dict[str, Any]) -> None:
    _fit_stored(body)
    body["days"] = 1


def _fit_backfill(body: dict[str, Any]) -> None:
    body.update(since=to_iso(utc_now() - YESTERDAY), spread=60)


def _fit_test(body: dict[str, Any]) -> None:
    body["step"] = STEP


TASKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "preview": _fit_stored, "simulate": _fit_simulation, "backfill": _fit_backfill, "test": _fit_test,
}  # fmt: skip
