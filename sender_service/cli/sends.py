"""`send show|pause|resume|cancel ID`: what became of a send."""

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
    if account["people"].get("malformed"):
        rows(table, ("names that can't be read", account["people"]["malformed"]))
    rows(table, *((name, account[name]) for name in COUNTED))
    for name in account.get("malformed", ()):
        part = f"part {name['part']}, " if "part" in name else ""
        rows(table, (f"{part}name {name['index']}", name["message"]))
    for warning in account.get("warnings", ()):
        rows(table, ("warning", f"{warning['field']}: {warning['message']}"))
    if account.get("error"):
        rows(table, ("error", account["error"]))
    return table
