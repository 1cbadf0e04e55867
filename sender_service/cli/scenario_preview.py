"""`scenario preview`: who would enter or be pushed now, and what they would read."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sender_service.cli.ops import OpsClient, add_command, read_json, rows
from sender_service.cli.scenario_runs import scenario_path
from sender_service.ops.responses.scenario_preview import (
    ScenarioPreviewResponse,
    StepPreviewResponse,
)


def add_preview_of_scenario(group: Any) -> None:
    parser = add_command(
        group, "preview", _preview, help="who would enter or be pushed now; nothing is sent"
    )
    parser.add_argument("--app", required=True)
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--people", type=int, metavar="N", help="to look at, at most")
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a draft, as `put` takes it; - reads the standard input",
    )


async def _preview(ops: OpsClient) -> None:
    options = ops.options
    draft = {} if options.file is None else {"scenario": read_json(options.file)}
    params = {} if options.people is None else {"people": options.people}
    path = scenario_path(ops, "preview")
    found = await ops.call(ScenarioPreviewResponse, "POST", path, params=params, json=draft)
    tables = (_counts(found.body), _problems(found.body), _steps(found.body), _texts(found.body))
    ops.show(found.json, *(table for table in tables if table.row_count))


def _counts(preview: ScenarioPreviewResponse) -> Table:
    entries, runs = preview.entries, preview.runs
    table = Table("of", "looked at", "all", "result", "reasons")
    return rows(
        table,
        ("entries", entries.looked, _yes(entries.exact), f"{entries.enter} would enter",
         _reasons(entries.refused)),
        ("runs", runs.looked, _yes(runs.exact), f"{runs.push} would be pushed, {runs.wait} wait",
         _reasons({**runs.skip, **runs.end})),
    )  # fmt: skip


def _problems(preview: ScenarioPreviewResponse) -> Table:
    table = Table("can't be on", "why")
    return rows(table, *((one.field, one.message) for one in preview.problems))


def _steps(preview: ScenarioPreviewResponse) -> Table:
    table = Table("step", "campaign", "people", "skipped", "would receive", "not")
    return rows(table, *(_step_row(step) for step in preview.steps))


def _step_row(step: StepPreviewResponse) -> tuple[object, ...]:
    head = (step.step, step.campaign, step.people, _reasons(step.skipped))
    if step.preview is None:
        return *head, None, None if step.problem is None else step.problem.message
    left_out = {**step.preview.suppressed, **step.preview.failed}
    return *head, step.preview.would_receive.people, _reasons(left_out)


def _texts(preview: ScenarioPreviewResponse) -> Table:
    table = Table("step", "player", "language", "heading", "content", "url")
    return rows(table, *(
        (step.step, one.player, one.language, one.heading, one.content, one.url)
        for step in preview.steps if step.preview is not None
        for one in step.preview.samples
    ))  # fmt: skip


def _reasons(counts: dict[str, int]) -> str | None:
    return ", ".join(f"{count} {why}" for why, count in counts.items() if count) or None


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
