"""`app keys list|add|rotate|remove`: keys of an app's pages, servers and webhooks."""

from __future__ import annotations

from typing import Any, get_args

from rich.table import Table

from sender_service.cli.answers import Answer
from sender_service.cli.ops import OpsClient, add_command, path_of, rows
from sender_service.models.app_keys import USES
from sender_service.ops.responses.apps import KeyResponse, NewKeyResponse, RotatedKeyResponse
from sender_service.ops.responses.base import Items, RemovedResponse
from shared.models.app import KeyKind


def add_key_commands(group: Any) -> None:
    help = "an app's keys: made, rotated, removed"
    keys = group.add_parser("keys", help=help, description=help)
    commands = keys.add_subparsers(dest="what", required=True)
    add_command(commands, "list", _list, help="all, without themselves").add_argument(
        "app", metavar="APP"
    )
    adding = add_command(commands, "add", _add, help="make one; it is shown this once")
    adding.add_argument("app", metavar="APP")
    adding.add_argument("--kind", choices=get_args(KeyKind), required=True)
    adding.add_argument("--id", default=None, help="its name; by default its kind's")
    for name, work, help in (
        ("rotate", _rotate, "make another of its kind; the old one is valid until it is removed"),
        ("remove", _remove, "refuse it from now on"),
    ):
        parser = add_command(commands, name, work, help=help)
        parser.add_argument("app", metavar="APP")
        parser.add_argument("key", metavar="KEY", help="its id, as `list` shows it")


async def _list(ops: OpsClient) -> None:
    path = path_of("apps", ops.options.app, "keys")
    found = await ops.call(Items[KeyResponse], "GET", path)
    table = Table("id", "kind", "in the snippet", "for")
    cells = ((key.id, key.kind, key.in_snippet, USES[key.kind]) for key in found.body.items)
    ops.show(found.json, rows(table, *cells))


async def _add(ops: OpsClient) -> None:
    body = {"kind": ops.options.kind}
    if ops.options.id is not None:
        body |= {"id": ops.options.id}
    path = path_of("apps", ops.options.app, "keys")
    made = await ops.call(NewKeyResponse, "POST", path, json=body)
    _show_made(ops, made, f"made {made.body.id}")


async def _rotate(ops: OpsClient) -> None:
    path = path_of("apps", ops.options.app, "keys", ops.options.key, "rotate")
    rotated = await ops.call(RotatedKeyResponse, "POST", path)
    made = rotated.body
    where = (
        "pages take it with their next snippet, within minutes, and all within a day"
        if made.in_snippet
        else f"put it where {made.replaces} is"
    )
    text = f"made {made.id}: {where}; then `app keys remove {ops.options.app} {made.replaces}`"
    _show_made(ops, rotated, text)


async def _remove(ops: OpsClient) -> None:
    path = path_of("apps", ops.options.app, "keys", ops.options.key)
    removed = await ops.call(RemovedResponse, "DELETE", path)
    row = (removed.body.id, removed.body.removed)
    ops.show(removed.json, rows(Table("id", "removed"), row))


def _show_made(
    ops: OpsClient, made: Answer[NewKeyResponse] | Answer[RotatedKeyResponse], text: str
) -> None:
    """Print the key alone to the standard output, for pipes; the text to the standard error."""
    if ops.options.json:
        return ops.show_json(made.json)
    ops.console.file.write(made.body.key + "\n")
    return ops.note(text)
