"""`scenario people|end|firings|test`: who is in a scenario, what it fired, and a step tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rich.table import Table

from sender_service.cli.ops import OpsClient, add_command, path_of, rows
from sender_service.ops.responses.runs import (
    FiringListResponse,
    FiringResponse,
    RunListResponse,
    RunResponse,
)
from sender_service.ops.responses.sends import SendResponse


def add_run_commands(group: Any) -> None:
    people = _add(group, "people", _people, help="runs of people: where each of them is")
    people.add_argument("--state", choices=("waiting", "over"))
    people.add_argument("--step", metavar="ID", help="the step that comes next")
    people.add_argument("--after", metavar="RUN", help="goes on behind this run")
    end = _add(group, "end", _end, help="end a person's run: nothing more of it is pushed")
    end.add_argument("run", metavar="RUN", help="its name, as `people` shows it")
    firings = _add(group, "firings", _firings, help="what it fired, the newest first")
    firings.add_argument("--before", metavar="TIME", help="goes on before this time")
    test = _add(group, "test", _test, help="push a step to one player, as a test")
    test.add_argument("--step", required=True, metavar="ID")
    test.add_argument("--player", required=True, metavar="ID")
    for parser in (people, firings):
        parser.add_argument("--limit", type=int, metavar="N")


def scenario_path(ops: OpsClient, *action: str) -> str:
    return path_of("apps", ops.options.app, "scenarios", ops.options.scenario, *action)


def _add(group: Any, name: str, work: Callable[[OpsClient], Any], *, help: str) -> Any:
    parser = add_command(group, name, work, help=help)
    parser.add_argument("--app", required=True)
    parser.add_argument("--scenario", required=True)
    return parser


async def _people(ops: OpsClient) -> None:
    path = scenario_path(ops, "people")
    params = _given(ops, "state", "step", "after", "limit")
    found = await ops.call(RunListResponse, "GET", path, params=params)
    ops.show(found.json, run_table(found.body.items))
    if found.body.next is not None and not ops.options.json:
        ops.note(f"there are more: --after {found.body.next}")


async def _end(ops: OpsClient) -> None:
    ended = await ops.call(
        RunResponse, "POST", scenario_path(ops, "people", ops.options.run, "end")
    )
    ops.show(ended.json, run_table([ended.body]))


async def _firings(ops: OpsClient) -> None:
    path, params = scenario_path(ops, "firings"), _given(ops, "before", "limit")
    found = await ops.call(FiringListResponse, "GET", path, params=params)
    table = Table("due", "step", "version", "campaign", "state", "people", "send")
    rows(table, *((
        one.due_at, one.step, one.version, one.campaign, one.state, _describe_counts(one), one.id,
    ) for one in found.body.items))  # fmt: skip
    ops.show(found.json, table)


async def _test(ops: OpsClient) -> None:
    body = {"player": ops.options.player, "step": ops.options.step}
    sent = await ops.call(SendResponse, "POST", scenario_path(ops, "test"), json=body)
    send = sent.body
    ops.show(
        sent.json, rows(Table("send", "campaign", "state"), (send.id, send.campaign, send.state))
    )


def _given(ops: OpsClient, *names: str) -> dict[str, Any]:
    """Return the options that were given, as parameters."""
    options = vars(ops.options)
    return {name: options[name] for name in names if options[name] is not None}


def run_table(runs: Iterable[RunResponse], title: str | None = None) -> Table:
    table = Table("run", "entered", "state", "next step", "due", "pushed", "skipped", title=title)
    return rows(table, *map(_run_row, runs))


def _run_row(run: RunResponse) -> tuple[object, ...]:
    state = run.state if run.ended is None else f"over: {run.ended.why}"
    pushed = ", ".join(push.step for push in run.pushes) or None
    skipped = ", ".join(f"{one.step} ({one.why})" for one in run.skipped) or None
    return run.run, run.entered.at, state, run.step, run.due, pushed, skipped


def _describe_counts(firing: FiringResponse) -> str | None:
    return ", ".join(f"{count} {why}" for why, count in firing.counts.items()) or None
