"""`trigger`: sends a campaign by the ops API; `--watch` follows the send until it is closed."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from sender_service.cli.answers import Answer, to_answer
from sender_service.cli.ops import ApiError, OpsClient, add_command, path_of, why_not
from sender_service.cli.screen import error_console, print_tables
from sender_service.cli.sends import account_table, describe
from sender_service.cli.target import add_options, note_left_out, post_trigger, to_trigger
from sender_service.ops.responses.sends import SendResponse
from shared.errors import InvalidPayload

TRIGGER_POLL_SECONDS = 0.2
NO_PROGRESS_SECONDS = 600.0  # without any progress
NOBODY_REACHED = "nobody_reached"


def add_trigger_command(commands: Any) -> None:
    parser = add_command(commands, "trigger", _trigger, help="send a campaign to people")
    add_options(parser)
    parser.add_argument("--id", default=None, help="a UUID; the same id twice is one send")
    parser.add_argument(
        "--watch", action="store_true", help="follow it until its account is closed"
    )


async def _trigger(ops: OpsClient) -> None:
    """Trigger a campaign; print the send's id alone to the standard output, for pipes."""
    send = ops.options.id or str(uuid.uuid4())
    try:
        trigger = to_trigger(ops.options, send)
    except InvalidPayload as exc:
        raise ApiError(400, f"not a trigger: {exc.message}") from exc
    try:
        answer = await post_trigger(ops, SendResponse, path_of("sends"), trigger)
    except httpx.ConnectError:
        raise
    except httpx.TransportError as exc:
        again = f"the same command with --id {send} asks again, and is one send"
        raise ApiError(
            503, f"whether it was taken isn't known ({type(exc).__name__}): {again}"
        ) from exc
    account = answer.body
    note_left_out(ops, account)
    if ops.options.json and not ops.options.watch:
        return ops.show_json(answer.json)
    ops.console.file.write(f"{account.id}\n")
    ops.console.file.flush()
    if not ops.options.watch:
        return check_account(account, is_named=False)
    try:
        account = await watch(ops.http, account.id, error_console())
    except asyncio.CancelledError:
        error_console().print("stopped watching; the send goes on")
        raise
    return check_account(account, is_named=_is_named(ops))


def check_account(account: SendResponse, *, is_named: bool) -> None:
    """Check that the send wasn't refused and reached a named recipient. Raises ApiError."""
    if account.state == "refused":
        raise ApiError(409, f"the send is refused: {account.error}")
    for warning in account.warnings:
        if is_named and warning.code == NOBODY_REACHED:
            raise ApiError(409, warning.message)


def _is_named(ops: OpsClient) -> bool:
    return not ops.options.all and ops.options.segment is None


async def watch(http: httpx.AsyncClient, send: str, console: Console) -> SendResponse:
    """Show progress until the account is closed; return it. Raises ApiError, httpx.HTTPError."""
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"), TimeElapsedColumn(),
    )  # fmt: skip
    live = Console(
        file=console.file, width=console.width, highlight=False, markup=False, emoji=False
    )
    with Progress(*columns, console=live) as progress:
        task = progress.add_task("sent", total=1)
        account = await _until_closed(http, send, progress, task)
    print_tables(console, [account_table(account)])
    return account


async def _until_closed(
    http: httpx.AsyncClient, send: str, progress: Progress, task: TaskID
) -> SendResponse:
    seen: SendResponse | None = None
    quiet = 0.0
    while quiet < NO_PROGRESS_SECONDS:
        answer = await get_send_account(http, send)
        account = None if answer is None else answer.body
        if account is not None:
            _draw(account, progress, task)
            if account.closed_at is not None:
                return account
        quiet = 0.0 if account != seen else quiet
        seen = account
        quiet += TRIGGER_POLL_SECONDS
        await asyncio.sleep(TRIGGER_POLL_SECONDS)
    state = "the API can't say why" if seen is None else describe(seen)
    raise ApiError(
        409, f"no progress for {NO_PROGRESS_SECONDS / 60:.0f} minutes: {state}; it goes on"
    )


async def get_send_account(http: httpx.AsyncClient, send: str) -> Answer[SendResponse] | None:
    """Get the send's account; None for an answer of 500 or more. Raises ApiError, UnknownAnswer."""
    answer = await http.get(path_of("sends", send))
    if answer.status_code >= 500:
        return None
    if answer.status_code != 200:
        raise ApiError(answer.status_code, why_not(answer))
    return to_answer(SendResponse, answer)


def _draw(account: SendResponse, progress: Progress, task: TaskID) -> None:
    total = account.audience
    done = (total or 1) if account.closed_at else total - account.pending
    progress.update(task, total=total or 1, completed=done, description=describe(account))
