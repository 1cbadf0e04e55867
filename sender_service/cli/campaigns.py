"""`campaign list|show|put|test|report`: campaigns and their results."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from sender_service.cli.answers import Answer
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
from sender_service.ops.responses.base import Items
from sender_service.ops.responses.campaigns import CampaignResponse
from sender_service.ops.responses.reports import RatesResponse, ReportResponse
from sender_service.ops.responses.sends import SendResponse

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
    path = path_of("apps", ops.options.app, "campaigns")
    found = await ops.call(Items[CampaignResponse], "GET", path)
    table = Table("campaign", "name", "version", "enabled", "variants", "location")
    rows(table, *(
        (c.id, c.name, c.version, c.enabled, len(c.variants), c.location) for c in found.body.items
    ))  # fmt: skip
    ops.show(found.json, table)


async def _show(ops: OpsClient) -> None:
    ops.show_json(await ops.get_json(_path(ops)))


async def _put(ops: OpsClient) -> None:
    body = read_json(ops.options.file)
    put = await ops.call(CampaignResponse, "PUT", _path(ops), json=body)
    campaign = put.body
    ops.show(put.json, rows(Table("campaign", "version"), (campaign.id, campaign.version)))
    ops.warn(campaign.warnings or ())


async def _test(ops: OpsClient) -> None:
    body = {
        "player": ops.options.player,
        "variables": read_json(ops.options.variables, "--variables"),
    }
    tested = await ops.call(SendResponse, "POST", _path(ops, "test"), json=body)
    answer = await _until_known(ops, tested)
    account = answer.body
    ops.show(answer.json, account_table(account))
    check_account(account, is_named=True)
    if account.closed_at is None:
        state = describe(account)
        raise ApiError(
            409, f"after {TEST_SECONDS:.0f} seconds still {state}: send show {account.id}"
        )
    if not account.sent:
        reasons = [
            *(f"{why} (suppressed)" for why in account.suppressed),
            *(f"{why} (failed)" for why in account.failed),
        ]
        why = ", ".join(reasons) or "the app knows no such player"
        raise ApiError(409, f"the push was not sent: {why}; docs/ops.md says what a reason means")


async def _until_known(ops: OpsClient, answer: Answer[SendResponse]) -> Answer[SendResponse]:
    """Return the account once it is closed, or as it is when the time is over."""
    for _ in range(round(TEST_SECONDS / TRIGGER_POLL_SECONDS)):
        if answer.body.closed_at is not None:
            break
        await asyncio.sleep(TRIGGER_POLL_SECONDS)
        answer = await get_send_account(ops.http, answer.body.id) or answer
    return answer


async def _report(ops: OpsClient) -> None:
    answer = await ops.call(ReportResponse, "GET", _path(ops, "report"))
    report = answer.body
    title = f"{report.campaign}: {report.sends} sends"
    totals = Table("", "players", title=title)
    rows(totals, ("audience", report.audience), ("sent", report.sent), ("pending", report.pending))
    rows(totals, ("suppressed", sum(report.suppressed.values())))
    rows(totals, ("failed", sum(report.failed.values())))
    rows(totals, *((name, getattr(report, name)) for name in INTERACTION_COUNTS))
    rows(totals, ("measurable", report.measurable), ("click rate", percent(report.click_rate)))
    variants = _cells("variant", [(cell.variant, cell) for cell in report.variants])
    browsers = _cells("browser", [(cell.browser, cell) for cell in report.browsers])
    ops.show(answer.json, totals, variants, browsers)


def _cells(by: str, cells: Sequence[tuple[str, RatesResponse]]) -> Table:
    table = Table(by, "sent", "measurable", *INTERACTION_COUNTS, "click rate")
    return rows(table, *(
        (name, c.sent, c.measurable, c.impressions, c.clicks, c.closes, percent(c.click_rate))
        for name, c in cells
    ))  # fmt: skip


def percent(rate: float | None) -> str:
    """Return a rate as a percentage; a dash for None."""
    return "-" if rate is None else f"{rate:.1%}"
