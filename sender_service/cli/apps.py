"""`app …`, `audit`: web shops, their OneSignal apps and keys; the audit trail."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sender_service.cli.app_create import add_create_command
from sender_service.cli.app_keys import add_key_commands
from sender_service.cli.ops import (
    ApiError,
    OpsClient,
    add_command,
    add_group,
    path_of,
    read_json,
    rows,
)
from sender_service.models.login_proof import check_login_proof
from sender_service.ops.responses.access import AuditEntryResponse
from sender_service.ops.responses.apps import AppResponse, ConnectionResponse
from sender_service.ops.responses.base import Items


def add_app_commands(commands: Any) -> None:
    group = add_group(commands, "app", help="web shops and their OneSignal apps")
    add_command(group, "list", _list, help="all of them, and whether they may send")
    for name, work, help in (
        ("show", _show, "one, as JSON: what `put` takes, secrets masked"),
        ("put", _put, "create or change one; a masked secret stays as it was"),
        ("resume", _resume, "go on after OneSignal refused its key or disabled it"),
        ("test-connection", _test, "does OneSignal take the stored key?"),
    ):
        parser = add_command(group, name, work, help=help)
        parser.add_argument("app", metavar="APP")
        if name == "put":
            parser.add_argument("file", metavar="FILE", help="JSON; - reads the standard input")
    add_create_command(group)
    add_key_commands(group)


def add_audit_command(commands: Any) -> None:
    parser = add_command(commands, "audit", _audit, help="who did what, the newest first")
    parser.add_argument("--since", default=None, help="ISO 8601, with an offset")
    parser.add_argument("--before", default=None, help="ISO 8601: goes on from there")
    parser.add_argument("--limit", type=int, default=50)


async def _list(ops: OpsClient) -> None:
    found = await ops.call(Items[AppResponse], "GET", "/v1/apps")
    ops.show(found.json, _table(found.body.items))


async def _show(ops: OpsClient) -> None:
    app = await ops.call(AppResponse, "GET", path_of("apps", ops.options.app))
    ops.show_json(app.json)
    proof = app.body.login_hash
    ops.warn(check_login_proof(required=proof.required, has_secret=proof.secret is not None))


async def _put(ops: OpsClient) -> None:
    body, path = read_json(ops.options.file), path_of("apps", ops.options.app)
    app = await ops.call(AppResponse, "PUT", path, json=body)
    ops.show(app.json, _table([app.body]))


async def _resume(ops: OpsClient) -> None:
    app = await ops.call(AppResponse, "POST", path_of("apps", ops.options.app, "resume"))
    ops.show(app.json, _table([app.body]))


async def _test(ops: OpsClient) -> None:
    path = path_of("apps", ops.options.app, "test-connection")
    answer = await ops.call(ConnectionResponse, "POST", path)
    found = answer.body
    table = Table("result", "message", "players", "reachable")
    rows(table, (found.result, found.message, found.players, found.messageable_players))
    ops.show(answer.json, table)
    ops.warn(found.warnings)
    if found.result != "ok":
        raise ApiError(409, f"the connection does not work: {found.result}")


def _table(apps: list[AppResponse]) -> Table:
    table = Table("app", "name", "version", "enabled", "state", "because", "OneSignal app", "plan")
    return rows(table, *(
        (app.id, app.name, app.version, app.enabled, app.state, app.stopped_because,
         app.one_signal.app_id, app.one_signal.plan)
        for app in apps
    ))  # fmt: skip


async def _audit(ops: OpsClient) -> None:
    given = {name: getattr(ops.options, name) for name in ("since", "before", "limit")}
    params = {name: value for name, value in given.items() if value is not None}
    found = await ops.call(Items[AuditEntryResponse], "GET", "/v1/audit", params=params)
    table = Table("at", "who", "role", "did", "to", "status")
    rows(table, *(
        (i.at, i.who.name, i.who.role, f"{i.method} {i.route}",
         " ".join(f"{name}={value}" for name, value in i.target.items()), i.status)
        for i in found.body.items
    ))  # fmt: skip
    ops.show(found.json, table)
