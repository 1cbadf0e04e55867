"""`scenario why`: a person in a scenario, rule by rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from sender_service.cli.ops import OpsClient, add_command, path_of, rows
from sender_service.cli.people import add_names, find_people, outcome_table
from sender_service.cli.scenario_runs import run_table
from sender_service.ops.responses.decisions import ClockFiringResponse, DecisionResponse
from sender_service.ops.responses.people import ExplanationResponse


def add_why_in_scenario(group: Any) -> None:
    why = add_command(
        group, "why", _why, help="why a person of a scenario gets its pushes, or doesn't"
    )
    add_names(why)
    why.add_argument("--scenario", required=True)


async def _why(ops: OpsClient) -> None:
    people = await find_people(ops)
    found = []
    tables: list[Table] = []
    for person in people.body.items:
        path, params = path_of("people", person.id, "why"), {"scenario": ops.options.scenario}
        why = await ops.call(ExplanationResponse, "GET", path, params=params)
        found.append({"person": person.id, **why.json})
        tables += _tables(person.id, why.body)
    ops.show({"people": found}, *tables)


def _tables(person: str, why: ExplanationResponse) -> list[Table]:
    scenario = why.scenario
    if scenario is None:
        return []
    runs = run_table(scenario.runs, title=f"person {person}, scenario {scenario.id}")
    if not scenario.runs:
        runs.caption = "never entered, or long ago"
    outcomes = [outcome_table(person, why)] if why.items else []
    fired = [_firing_table(scenario.firings)] if scenario.firings else []
    return [runs, *fired, *outcomes, *map(_decision_table, scenario.now)]


def _firing_table(firings: Sequence[ClockFiringResponse]) -> Table:
    table = Table("at", "send", "step", "result", "why", title="firings of the clock")
    return rows(table, *((one.at, one.send, one.step, one.result, one.sentence) for one in firings))


def _decision_table(decision: DecisionResponse) -> Table:
    about = "an entry now" if decision.run is None else decision.run
    table = Table("rule", "passed", "why", title=f"a look now at {about}: {decision.sentence}")
    return rows(
        table, *((one.rule, "yes" if one.ok else "no", one.sentence) for one in decision.checks)
    )
