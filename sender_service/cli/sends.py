"""`send show|pause|resume|cancel ID`, `campaign report`: what became of pushes."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sender_service.cli.ops import Ops, add_command, add_group, rows

COUNTED = ("impressions", "clicks", "closes")


def add_send_commands(commands: Any) -> None:
    group = add_group(commands, "send", help="look at a send, or hold it back")
    for name, method, help in (
        ("show", "GET", "a send's account"),
        ("pause", "POST", "stop its next release; what is released still goes"),
        ("resume", "POST", "go on where it was paused"),
        ("cancel", "POST", "end it: whoever was not called yet will not be"),
    ):
        parser = add_command(group, name, _send(name, method), help=help)
        parser.add_argument("send", metavar="ID", help="the send's id, which is its trigger's")


def add_campaign_commands(commands: Any) -> None:
    group = add_group(commands, "campaign", help="what a campaign brought")
    parser = add_command(group, "report", _report, help="totals, by variant and by browser")
    parser.add_argument("--app", required=True)
    parser.add_argument("--campaign", required=True)


def _send(name: str, method: str) -> Any:
    async def work(ops: Ops) -> None:
        action = "" if name == "show" else f"/{name}"
        account = await ops.call(method, f"/v1/sends/{ops.options.send}{action}")
        ops.show(account, account_table(account))

    return work


def account_table(account: dict[str, Any]) -> Table:
    table = Table("", "players", title=f"{account['campaign']} {account['id']}: {account['state']}")
    rows(table, *((name, account[name]) for name in ("audience", "sent", "pending")))
    for group in ("suppressed", "failed"):
        rows(table, *((f"{group}: {why}", n) for why, n in sorted(account[group].items())))
    rows(table, ("people", sum(account["people"].values())))
    rows(table, ("people: no player", account["people"]["no_player"]))
    rows(table, *((name, account[name]) for name in COUNTED))
    if account.get("error"):
        rows(table, ("error", account["error"]))
    return table


async def _report(ops: Ops) -> None:
    path = f"/v1/apps/{ops.options.app}/campaigns/{ops.options.campaign}/report"
    report = await ops.call("GET", path)
    title = f"{report['campaign']}: {report['sends']} sends"
    totals = Table("", "players", title=title)
    rows(totals, *((name, report[name]) for name in ("audience", "sent", "pending")))
    for group in ("suppressed", "failed"):
        rows(totals, (group, sum(report[group].values())))
    rows(totals, *((name, report[name]) for name in COUNTED))
    rows(totals, ("measurable", report["measurable"]), ("click rate", percent(report["clickRate"])))
    ops.show(report, totals, _cells(report, "variant"), _cells(report, "browser"))


def _cells(report: dict[str, Any], by: str) -> Table:
    table = Table(by, "sent", "measurable", *COUNTED, "click rate")
    for cell in report[f"{by}s"]:
        counts = (cell[name] for name in ("sent", "measurable", *COUNTED))
        rows(table, (cell[by], *counts, percent(cell["clickRate"])))
    return table


def percent(rate: float | None) -> str:
    """A dash where nobody was seen to report."""
    return "-" if rate is None else f"{rate:.1%}"
