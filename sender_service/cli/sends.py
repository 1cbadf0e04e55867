"""`send list|show|pause|resume|cancel`: sends and their accounts."""

from __future__ import annotations

from typing import Any, get_args

from rich.table import Table

from sender_service.cli.ops import OpsClient, add_command, add_group, path_of, rows
from sender_service.models.send import SendState
from sender_service.ops.responses.sends import SendListItemResponse, SendListResponse, SendResponse
from shared.models.wire import to_iso

INTERACTION_COUNTS = ("impressions", "clicks", "closes")
SEND_ID_HELP = "whole, or its first letters (six at least)"
MOST_CALLS = 50  # of the API, for one list


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
    items: list[SendListItemResponse] = []
    json: list[Any] = []
    more: str | None = ops.options.before
    for _ in range(MOST_CALLS):
        found = await ops.call(SendListResponse, "GET", path_of("sends"), params=params)
        items += found.body.items
        json += found.json["items"]
        more = None if found.body.next is None else to_iso(found.body.next)
        if more is None or len(items) >= ops.options.limit:
            break
        params |= {"before": more}
    table = Table(
        "id", "state", "app", "campaign", "priority", "created", "sent", "audience", "error"
    )
    if more is not None:
        table.caption = f"more: --before {more}"
    rows(table, *(
        (s.id, s.state, s.app, s.campaign, s.priority, s.created_at, s.sent, s.audience, s.error)
        for s in items
    ))  # fmt: skip
    ops.show({"items": json, "next": more}, table)


def _send(name: str, method: str) -> Any:
    async def work(ops: OpsClient) -> None:
        action = () if name == "show" else (name,)
        path = path_of("sends", ops.options.send, *action)
        account = await ops.call(SendResponse, method, path)
        ops.show(account.json, account_table(account.body))

    return work


def describe(account: SendResponse) -> str:
    """Return the send's state and the reasons why it waits, for `show` and `--watch`."""
    texts: list[str] = [account.state]
    for reason in account.waiting:
        until = f" until {to_iso(reason.until)}" if reason.until else ""
        if reason.message == account.state:
            texts[0] += until
        else:
            texts.append(reason.message + until)
    return ", ".join(texts)


def account_table(account: SendResponse) -> Table:
    table = Table("", "players", title=f"{account.campaign} {account.id}: {describe(account)}")
    if account.scenario is not None:
        rows(table, (f"scenario: {account.scenario.id}", f"step {account.scenario.step}"))
    rows(table, ("audience", account.audience), ("sent", account.sent))
    rows(table, ("pending", account.pending))
    groups = (
        ("suppressed", account.suppressed),
        ("not applicable", account.not_applicable),
        ("failed", account.failed),
    )
    for group, counts in groups:
        rows(table, *((f"{group}: {why}", n) for why, n in sorted(counts.items())))
    people = account.people
    rows(table, ("people", people.total), ("people: no player", people.no_player))
    if people.malformed:
        rows(table, ("names that can't be read", people.malformed))
    rows(table, *((name, getattr(account, name)) for name in INTERACTION_COUNTS))
    for name in account.malformed:
        part = "" if name.part is None else f"part {name.part}, "
        rows(table, (f"{part}name {name.index}", name.message))
    for warning in account.warnings:
        rows(table, ("warning", f"{warning.field}: {warning.message}"))
    if account.error:
        rows(table, ("error", account.error))
    return table
