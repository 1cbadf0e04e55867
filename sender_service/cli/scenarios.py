"""`scenario put|show|list|delete|versions|templates`: scenarios, their versions and templates."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sender_service.cli.ops import (
    ApiError,
    OpsClient,
    add_command,
    add_group,
    path_of,
    read_json,
    rows,
)
from sender_service.cli.scenario_backfills import add_backfill_commands
from sender_service.cli.scenario_preview import add_preview_of_scenario
from sender_service.cli.scenario_runs import add_run_commands, scenario_path
from sender_service.cli.scenario_simulations import add_simulation_commands
from sender_service.cli.scenario_why import add_why_in_scenario
from sender_service.ops.responses.base import Items, RemovedResponse
from sender_service.ops.responses.scenarios import (
    ListedScenarioResponse,
    ScenarioBodyResponse,
    ScenarioResponse,
    ScenarioTemplateResponse,
    StepResponse,
    TroubleResponse,
)
from shared.models.wire import to_iso
from shared.nearest import suggest

TEMPLATES = "/v1/scenario-templates"


def add_scenario_commands(commands: Any) -> None:
    group = add_group(commands, "scenario", help="pushes by what people do, or by the clock")
    listing = add_command(group, "list", _list, help="all of an app")
    listing.add_argument("--app", required=True)
    for name, work, help in (
        ("show", _show, "one, as JSON: what `put` takes"),
        ("put", _put, "create or change one"),
        ("delete", _delete, "delete one: nobody enters it any more"),
        ("versions", _versions, "its versions, the newest first"),
    ):
        parser = add_command(group, name, work, help=help)
        parser.add_argument("--app", required=True)
        parser.add_argument("--scenario", required=True)
        if name == "put":
            parser.add_argument("file", metavar="FILE", help="JSON; - reads the standard input")
    add_run_commands(group)
    add_preview_of_scenario(group)
    add_simulation_commands(group)
    add_backfill_commands(group)
    add_why_in_scenario(group)
    templates = add_command(
        group, "templates", _templates, help="all templates, or one's scenario as JSON"
    )
    templates.add_argument("template", nargs="?", metavar="TEMPLATE")
    templates.add_argument("--campaign", help="print this campaign of the template instead")


async def _list(ops: OpsClient) -> None:
    path = path_of("apps", ops.options.app, "scenarios")
    found = await ops.call(Items[ListedScenarioResponse], "GET", path)
    table = Table(
        "scenario", "name", "version", "enabled", "enter", "steps", "waiting", "pushed today",
        "last trouble",
    )  # fmt: skip
    rows(table, *((
        each.id, each.name, each.version, each.enabled, each.enter.on,
        _describe_steps(each), each.waiting, each.pushed_today, _describe_trouble(each.last_trouble),
    ) for each in found.body.items))  # fmt: skip
    ops.show(found.json, table)


async def _show(ops: OpsClient) -> None:
    ops.show_json(await ops.get_json(scenario_path(ops)))


async def _put(ops: OpsClient) -> None:
    body = read_json(ops.options.file)
    put = await ops.call(ScenarioResponse, "PUT", scenario_path(ops), json=body)
    scenario = put.body
    table = Table("scenario", "version", "enabled", "steps")
    rows(table, (scenario.id, scenario.version, scenario.enabled, _describe_steps(scenario)))
    ops.show(put.json, table)


async def _delete(ops: OpsClient) -> None:
    deleted = await ops.call(RemovedResponse, "DELETE", scenario_path(ops))
    ops.show(deleted.json, rows(Table("scenario", "removed"), (deleted.body.id, "yes")))


async def _versions(ops: OpsClient) -> None:
    found = await ops.call(Items[ScenarioResponse], "GET", scenario_path(ops, "versions"))
    table = Table("version", "name", "enabled", "enter", "steps")
    rows(table, *(
        (each.version, each.name, each.enabled, each.enter.on, _describe_steps(each))
        for each in found.body.items
    ))  # fmt: skip
    ops.show(found.json, table)


async def _templates(ops: OpsClient) -> None:
    found = await ops.call(Items[ScenarioTemplateResponse], "GET", TEMPLATES)
    if ops.options.template is not None:
        return ops.show_json(_body_of(ops, found.json["items"]))
    table = Table("template", "enter", "campaigns", "what it does")
    rows(table, *(
        (each.id, each.scenario.enter.on, ", ".join(c.id for c in each.campaigns), each.description)
        for each in found.body.items
    ))  # fmt: skip
    return ops.show(found.json, table)


def _body_of(ops: OpsClient, templates: list[dict[str, Any]]) -> Any:
    """Return the body to put: of the template's scenario, or of the campaign that is asked for."""
    template = _named(ops.options.template, templates, "template")
    if ops.options.campaign is None:
        return template["scenario"]
    return _named(ops.options.campaign, template["campaigns"], "campaign of it")["body"]


def _named(id: str, items: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the item of this id. Raises ApiError."""
    by_id = {item["id"]: item for item in items}
    if id not in by_id:
        raise ApiError(404, f"no such {kind}{suggest(id, list(by_id))}")
    return by_id[id]


def _describe_steps(scenario: ScenarioBodyResponse) -> str:
    return ", ".join(f"{step.id} ({_describe_wait(step)})" for step in scenario.steps)


def _describe_wait(step: StepResponse) -> str:
    """Describe a wait: `60 min of silence`, `day 7, 10:00`."""
    if step.at is not None:
        return f"day {step.at.days}, {step.at.time}"
    if step.after is None or step.after.minutes == 0:
        return "at once"
    return f"{step.after.minutes} min of {step.after.of}"


def _describe_trouble(trouble: TroubleResponse | None) -> str | None:
    """Describe trouble: `campaign_disabled, 3 people, at …`."""
    if trouble is None:
        return None
    people = "" if trouble.people is None else f", {trouble.people} people"
    return f"{trouble.why}{people}, at {to_iso(trouble.at)}"
