"""`dead-letters list|show|replay`: failed records, and their publication again."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sender_service.cli.ops import ApiError, OpsClient, add_command, add_group, path_of, rows

DEAD_LETTER_COLUMNS = ("at", "topic", "stage", "code", "message", "id", "replayedAt")


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
    found = await ops.call("GET", "/v1/dead-letters", params=params)
    table = Table("at", "topic", "stage", "code", "message", "id", "replayed")
    ops.show(
        found, rows(table, *(tuple(i.get(n) for n in DEAD_LETTER_COLUMNS) for i in found["items"]))
    )


async def _show(ops: OpsClient) -> None:
    dead_letter = await ops.call("GET", path_of("dead-letters", ops.options.id))
    ops.options.json = True  # no table can show arbitrary content
    ops.show(dead_letter)


async def _replay(ops: OpsClient) -> None:
    done = await ops.call("POST", "/v1/dead-letters/replay", json={"ids": ops.options.ids})
    table = Table("id", "replayed", "why not")
    ops.show(done, rows(table, *((i["id"], i["replayed"], i.get("code")) for i in done["items"])))
    failed = sum(not item["replayed"] for item in done["items"])
    if failed:
        raise ApiError(409, f"{failed} of {len(done['items'])} were not published again")
