"""`send list|show|pause|resume|cancel`: sends and their accounts."""

from __future__ import annotations

from typing import Any, get_args

from rich.table import Table

from sender_service.cli.ops import OpsClient, add_command, add_group, path_of, rows
from sender_service.models.send import SendState

INTERACTION_COUNTS = ("impressions", "clicks", "closes")
SEND_ID_HELP = "whole, or its first letters (six at least)"
MOST_CALLS = 50  # of the API, for one list
LISTED = ("id", "state", "app", "campaign", "priority", "createdAt", "sent", "audience", "error")


def add_send_commands(commands: Any) -> None:
    group = add_group(commands, "send", help="look at sends, or hold one back")
    listing = add_command(group, "list", _list, help="the newest first")
    listing.add_argument("--app", default=None)
    listing.add_argument("--campaign", default=None)
    listing.add_argument("--state", choices=get_args(SendState), default=None)
    listing.add_argument("--before", default=None, help="ISO 8601: goes on from there")
    listing.add_argument("--limit", type=int, default=20)
    for name, method, help in (
        ("show", "GET", "a send's account"),
        ("pause", "POST", "stop its next release; what is released still goes"),
        ("resume", "POST", "go on where it was paused"),
        ("cancel", "POST", "end it: whoever was not called yet will not be"),
    ):
        parser = add_command(group, name, _send(name, method), help=help)
        parser.add_argument("send", metavar="ID", help=f"the send's id, {SEND_ID_HELP}")


async def _list(ops: OpsClient) -> None:
    names = ("app", "campaign", "state", "before", "limit")
    given = {name: getattr(ops.options, name) for name in names}
    params = {name: value for name, value in given.items() if value is not None}
    items: list[dict[str, Any]] = []
    for _ in range(MOST_CALLS):
        found = await ops.call("GET", path_of("sends"), params=params)
        items += found["items"]
        params["before"] = found["next"]
        if found["next"] is None or len(items) >= ops.options.limit:
            break
    table = Table(
        "id", "state", "app", "campaign", "priority", "created", "sent", "audience", "error"
    )
    more = params["before"]
    if more is not None:
        table.caption = f"more: --before {more}"
    cells = (tuple(item[name] for name in LISTED) for item in items)
    ops.show({"items": items, "next": more}, rows(table, *cells))


def _send(name: str, method: str) -> Any:
    async def work(ops: OpsClient) -> None:
        action = () if name == "show" else (name,)
        account = await ops.call(method, path_of("sends", ops.options.send, *action))
        ops.show(account, account_table(account))

    return work


def describe(account: dict[str, Any]) -> str:
    """Return the send's state and the reasons why it waits, for `show` and `--watch`."""
    texts = [account["state"]]
    for reason in account.get("waiting", ()):
        until = f" until {reason['until']}" if reason["until"] else ""
        if reason["message"] == account["state"]:
            texts[0] += until
        else:
            texts.append(reason["message"] + until)
    return ", ".join(texts)


def account_table(account: dict[str, Any]) -> Table:
    table = Table(
        "", "players", title=f"{account['campaign']} {account['id']}: {describe(account)}"
    )
    rows(table, *((name, account[name]) for name in ("audience", "sent", "pending")))
    for group in ("suppressed", "failed"):
        rows(table, *((f"{group}: {why}", n) for why, n in sorted(account[group].items())))
    rows(
        table, ("people", sum(n for place, n in account["people"].items() if place != "malformed"))
    )
    rows(table, ("people: no player", account["people"]["no_player"]))
    if account["people"].get("malformed"):
        rows(table, ("names that can't be read", account["people"]["malformed"]))
    rows(table, *((name, account[name]) for name in INTERACTION_COUNTS))
    for name in account.get("malformed", ()):
        part = f"part {name['part']}, " if "part" in name else ""
        rows(table, (f"{part}name {name['index']}", name["message"]))
    for warning in account.get("warnings", ()):
        rows(table, ("warning", f"{warning['field']}: {warning['message']}"))
    if account.get("error"):
        rows(table, ("error", account["error"]))
    return table
