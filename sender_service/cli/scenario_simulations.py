"""`scenario simulate|simulation`: what a scenario would have pushed."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sender_service.cli.ops import OpsClient, add_command, path_of, read_json, rows
from sender_service.cli.scenario_tasks import wait_for_task
from sender_service.ops.responses.simulations import (
    EstimateResponse,
    SimulatedSideResponse,
    SimulationBaseResponse,
    SimulationResponse,
)


def add_simulation_commands(group: Any) -> None:
    simulate = add_command(
        group, "simulate", _simulate, help="what it would have pushed lately; waits for the result"
    )
    simulate.add_argument("--days", type=int, default=7, help="so many of the last days, 1 to 14")
    simulate.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="a draft, as `put` takes it; - reads the standard input",
    )
    known = add_command(group, "simulation", _show_simulation, help="one that was begun before")
    known.add_argument("n", metavar="N", type=int, help="its number")
    for parser in (simulate, known):
        parser.add_argument("--app", required=True)
        parser.add_argument("--scenario", required=True)


async def _simulate(ops: OpsClient) -> None:
    draft = {} if ops.options.file is None else {"scenario": read_json(ops.options.file)}
    body = {"days": ops.options.days, **draft}
    begun = await ops.call(SimulationResponse, "POST", _path(ops, "simulate"), json=body)
    await _show(ops, begun.body.n)


async def _show_simulation(ops: OpsClient) -> None:
    await _show(ops, ops.options.n)


async def _show(ops: OpsClient, n: int) -> None:
    """Wait for the simulation's end, and print it."""
    found = await wait_for_task(ops, SimulationResponse, _path(ops, "simulations", str(n)))
    simulation = found.body
    tables = [_head(simulation)]
    for name, side in (("draft", simulation.draft), ("present", simulation.present)):
        if side is not None:
            tables.append(_side(name, side))
    ops.show(found.json, *tables)


def _path(ops: OpsClient, *action: str) -> str:
    return path_of("apps", ops.options.app, "scenarios", ops.options.scenario, *action)


def _head(simulation: SimulationResponse) -> Table:
    table = Table(
        "simulation", "state", "since", "sample", "counted", "left out", "as of today", "unknown"
    )
    state = simulation.fault or simulation.state
    return rows(table, (simulation.n, state, simulation.since, *_base(simulation.base)))


def _base(base: SimulationBaseResponse | None) -> tuple[object, ...]:
    if base is None:
        return (None,) * 5
    sample = f"{base.persons} people, {base.share:.2%} of all"
    return (
        sample,
        base.counted,
        _describe(base.left_out),
        ", ".join(base.today),
        ", ".join(base.unknown),
    )


def _side(name: str, side: SimulatedSideResponse) -> Table:
    table = Table(name, "entered", "people", "pushes", "skipped", "ended", "refused")
    counts = (side.entered, side.people, side.pushes)
    reasons = (side.skipped, side.ended, side.refused)
    return rows(table, ("", *map(_describe_estimate, counts), *map(_describe, reasons)))


def _describe_estimate(of: EstimateResponse) -> str:
    """Describe an estimate: `410, from 350 to 480`."""
    if of.estimate is None:
        return f"{of.sample} of the sample"
    is_exact = of.low == of.high
    return f"{of.estimate}" if is_exact else f"{of.estimate}, from {of.low} to {of.high}"


def _describe(reasons: dict[str, int]) -> str:
    return ", ".join(f"{why} {count}" for why, count in sorted(reasons.items()))
