"""`campaign list|show|put|test|report`: campaigns and their results."""

from __future__ import annotations

import asyncio
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
from sender_service.cli.sends import INTERACTION_COUNTS, account_table, describe
from sender_service.cli.trigger import TRIGGER_POLL_SECONDS, check_account, get_send_account

TEST_SECONDS = 30.0  # a push to one player is known after about one


def add_campaign_commands(commands: Any) -> None:
    group = add_group(commands, "campaign", help="campaigns, and what they brought")
    listing = add_command(group, "list", _list, help="all of an app")
    listing.add_argument("--app", required=True)
    for name, work, help in (
        ("show", _show, "one, as JSON: what `put` takes"),
        ("put", _put, "create or change one"),
        ("test", _test, "push it to one player"),
        ("report", _report, "totals, by variant and by browser"),
    ):
        parser = add_command(group, name, work, help=help)
        parser.add_argument("--app", required=True)
        parser.add_argument("--campaign", required=True)
        if name == "put":
            parser.add_argument("file", metavar="FILE", help="JSON; - reads the standard input")
        if name == "test":
            parser.add_argument("--player", required=True, metavar="ID")
            parser.add_argument("--variables", default="{}", help="a JSON object for the texts")


def _path(ops: OpsClient, *action: str) -> str:
    return path_of("apps", ops.options.app, "campaigns", ops.options.campaign, *action)


async def _list(ops: OpsClient) -> None:
    found = await ops.call("GET", path_of("apps", ops.options.app, "campaigns"))
    table = Table("campaign", "name", "version", "enabled", "variants", "location")
    rows(table, *(
        (c["id"], c["name"], c["version"], c["enabled"], len(c["variants"]), c["location"])
        for c in found["items"]
    ))  # fmt: skip
    ops.show(found, table)


async def _show(ops: OpsClient) -> None:
    ops.show_json(await ops.call("GET", _path(ops)))


async def _put(ops: OpsClient) -> None:
    campaign = await ops.call("PUT", _path(ops), json=read_json(ops.options.file))
    ops.show(campaign, rows(Table("campaign", "version"), (campaign["id"], campaign["version"])))
    ops.warn(campaign.get("warnings", ()))


async def _test(ops: OpsClient) -> None:
    body = {
        "player": ops.options.player,
        "variables": read_json(ops.options.variables, "--variables"),
    }
    account = await _until_known(ops, await ops.call("POST", _path(ops, "test"), json=body))
    ops.show(account, account_table(account))
    check_account(account, is_named=True)
    if account["closedAt"] is None:
        state = describe(account)
        raise ApiError(
            409, f"after {TEST_SECONDS:.0f} seconds still {state}: send show {account['id']}"
        )
    if not account["sent"]:
        reasons = [
            f"{why} ({group})" for group in ("suppressed", "failed") for why in account[group]
        ]
        why = ", ".join(reasons) or "the app knows no such player"
        raise ApiError(409, f"the push was not sent: {why}; docs/ops.md says what a reason means")


async def _until_known(ops: OpsClient, account: dict[str, Any]) -> dict[str, Any]:
    """Return the account once it is closed, or as it is when the time is over."""
    for _ in range(round(TEST_SECONDS / TRIGGER_POLL_SECONDS)):
        if account["closedAt"] is not None:
            break
        await asyncio.sleep(TRIGGER_POLL_SECONDS)
        account = await get_send_account(ops.http, account["id"]) or account
    return account


async def _report(ops: OpsClient) -> None:
    report = await ops.call("GET", _path(ops, "report"))
    title = f"{report['campaign']}: {report['sends']} sends"
    totals = Table("", "players", title=title)
    rows(totals, *((name, report[name]) for name in ("audience", "sent", "pending")))
    for group in ("suppressed", "failed"):
        rows(totals, (group, sum(report[group].values())))
    rows(totals, *((name, report[name]) for name in INTERACTION_COUNTS))
    rows(totals, ("measurable", report["measurable"]), ("click rate", percent(report["clickRate"])))
    ops.show(report, totals, _cells(report, "variant"), _cells(report, "browser"))


def _cells(report: dict[str, Any], by: str) -> Table:
    table = Table(by, "sent", "measurable", *INTERACTION_COUNTS, "click rate")
    for cell in report[f"{by}s"]:
        counts = (cell[name] for name in ("sent", "measurable", *INTERACTION_COUNTS))
        rows(table, (cell[by], *counts, percent(cell["clickRate"])))
    return table


def percent(rate: float | None) -> str:
    """Return a rate as a percentage; a dash for None."""
    return "-" if rate is None else f"{rate:.1%}"
