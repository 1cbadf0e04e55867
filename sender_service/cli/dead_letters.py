"""`dead-letters list|show|replay`: failed records, and their publication again."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sender_service.cli.ops import ApiError, OpsClient, add_command, add_group, path_of, rows
from sender_service.ops.responses.base import Items
from sender_service.ops.responses.dead_letters import DeadLetterResponse, ReplayResponse


def add_dead_letter_commands(commands: Any) -> None:
    group = add_group(commands, "dead-letters", help="records that could not be handled")
    listing = add_command(group, "list", _list, help="the newest first")
    listing.add_argument("--topic", default=None)
    listing.add_argument("--code", default=None)
    listing.add_argument("--since", default=None, help="ISO 8601, with an offset")
    listing.add_argument("--before", default=None, help="ISO 8601: goes on from there")
    listing.add_argument("--limit", type=int, default=50)
    showing = add_command(group, "show", _show, help="one with its content (JSON)")
    showing.add_argument("id", metavar="ID")
    replaying = add_command(group, "replay", _replay, help="publish records again")
    replaying.add_argument("ids", metavar="ID", nargs="+")


async def _list(ops: OpsClient) -> None:
    names = ("topic", "code", "since", "before", "limit")
    given = {name: getattr(ops.options, name) for name in names}
    params = {name: value for name, value in given.items() if value is not None}
    found = await ops.call(Items[DeadLetterResponse], "GET", "/v1/dead-letters", params=params)
    table = Table("at", "topic", "stage", "code", "message", "id", "replayed")
    rows(table, *(
        (d.at, d.topic, d.stage, d.code, d.message, d.id, d.replayed_at) for d in found.body.items
    ))  # fmt: skip
    ops.show(found.json, table)


async def _show(ops: OpsClient) -> None:
    ops.show_json(await ops.get_json(path_of("dead-letters", ops.options.id)))


async def _replay(ops: OpsClient) -> None:
    body = {"ids": ops.options.ids}
    done = await ops.call(Items[ReplayResponse], "POST", "/v1/dead-letters/replay", json=body)
    items = done.body.items
    table = Table("id", "replayed", "why not")
    ops.show(done.json, rows(table, *((each.id, each.replayed, each.code) for each in items)))
    failed = sum(not each.replayed for each in items)
    if failed:
        raise ApiError(409, f"{failed} of {len(items)} were not published again")
