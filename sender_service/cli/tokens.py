"""`token create|list|remove`: bearer tokens of the ops API."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sender_service.cli.ops import OpsClient, add_command, add_group, path_of, rows
from sender_service.ops.responses.access import NewTokenResponse, TokenResponse
from sender_service.ops.responses.base import Items, RemovedResponse

TOKEN_COLUMNS = ("id", "name", "role", "apps", "createdAt", "expiresAt", "lastUsedAt")


def add_token_commands(commands: Any) -> None:
    group = add_group(commands, "token", help="bearer tokens of the ops API")
    creating = add_command(group, "create", _create, help="make one; it is shown this once")
    creating.add_argument("--name", required=True, help="who or what it is for")
    creating.add_argument("--role", choices=("read", "operate", "admin"), required=True)
    reach = creating.add_mutually_exclusive_group(required=True)
    reach.add_argument(
        "--app", action="append", metavar="APP", help="that it is for; again for more"
    )
    reach.add_argument("--all-apps", action="store_true", help="also those that are made later")
    creating.add_argument("--expires-at", default=None, help="ISO 8601, with an offset")
    add_command(group, "list", _list, help="all of them, without themselves")
    removing = add_command(group, "remove", _remove, help="refuse it from now on")
    removing.add_argument("id", metavar="ID")


async def _create(ops: OpsClient) -> None:
    options = ops.options
    apps = "all" if options.all_apps else options.app
    body = {"name": options.name, "role": options.role, "apps": apps,
            "expiresAt": options.expires_at}  # fmt: skip
    made = await ops.call(NewTokenResponse, "POST", "/v1/tokens", json=body)
    if options.json:
        return ops.show_json(made.json)
    ops.console.print(made.body.token, soft_wrap=True)  # alone on stdout: for a pipe
    return None


async def _list(ops: OpsClient) -> None:
    found = await ops.call(Items[TokenResponse], "GET", "/v1/tokens")
    cells = (
        (t.id, t.name, t.role, " ".join(t.apps) if isinstance(t.apps, list) else t.apps,
         t.created_at, t.expires_at, t.last_used_at)
        for t in found.body.items
    )  # fmt: skip
    ops.show(found.json, rows(Table(*TOKEN_COLUMNS), *cells))


async def _remove(ops: OpsClient) -> None:
    removed = await ops.call(RemovedResponse, "DELETE", path_of("tokens", ops.options.id))
    row = (removed.body.id, removed.body.removed)
    ops.show(removed.json, rows(Table("id", "removed"), row))
