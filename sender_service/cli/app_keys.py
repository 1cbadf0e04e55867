"""`app keys list|add|rotate|remove`: keys of an app's pages, servers and webhooks."""

from __future__ import annotations

from typing import Any, get_args

from rich.table import Table

from sender_service.cli.ops import OpsClient, add_command, path_of, rows
from sender_service.models.app_keys import USES
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
    found = await ops.call("GET", path_of("apps", ops.options.app, "keys"))
    table = Table("id", "kind", "in the snippet", "for")
    cells = ((k["id"], k["kind"], k["inSnippet"], USES[k["kind"]]) for k in found["items"])
    ops.show(found, rows(table, *cells))


async def _add(ops: OpsClient) -> None:
    body = {"kind": ops.options.kind}
    if ops.options.id is not None:
        body["id"] = ops.options.id
    made = await ops.call("POST", path_of("apps", ops.options.app, "keys"), json=body)
    _show_made(ops, made, f"made {made['id']}")


async def _rotate(ops: OpsClient) -> None:
    path = path_of("apps", ops.options.app, "keys", ops.options.key, "rotate")
    made = await ops.call("POST", path)
    where = (
        "pages take it with their next snippet, within minutes, and all within a day"
        if made["inSnippet"]
        else f"put it where {made['replaces']} is"
    )
    text = (
        f"made {made['id']}: {where}; then `app keys remove {ops.options.app} {made['replaces']}`"
    )
    _show_made(ops, made, text)


async def _remove(ops: OpsClient) -> None:
    removed = await ops.call("DELETE", path_of("apps", ops.options.app, "keys", ops.options.key))
    ops.show(removed, rows(Table("id", "removed"), (removed["id"], removed["removed"])))


def _show_made(ops: OpsClient, made: dict[str, Any], text: str) -> None:
    """Print the key alone to the standard output, for pipes; the text to the standard error."""
    if ops.options.json:
        return ops.show(made)
    ops.console.file.write(made["key"] + "\n")
    return ops.note(text)
