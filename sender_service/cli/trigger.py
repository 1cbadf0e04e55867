"""`python -m sender_service trigger`: one trigger on `carillon.triggers`, followed to its account."""

from __future__ import annotations

import argparse
import asyncio
import sys
import uuid
from typing import Any

import httpx
import orjson
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from sender_service.models.trigger import parse_trigger
from shared.errors import CarillonError, InvalidPayload
from shared.kafka import Outgoing, ensure_topics, open_log_writer
from shared.settings import Settings
from shared.topics import TOPICS, TRIGGERS

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 600.0  # without any progress
EXIT_REFUSED = 1


def add_trigger_command(commands: Any) -> None:
    parser = commands.add_parser("trigger", help="emit a campaign trigger")
    parser.add_argument("--app", required=True)
    parser.add_argument("--campaign", required=True)
    parser.add_argument("--all", action="store_true", help="everybody of the app")
    for kind in ("visitor", "login", "player"):
        parser.add_argument(
            f"--{kind}", action="append", default=[], metavar="ID", help="may repeat"
        )
    parser.add_argument("--variables", default="{}", help="a JSON object for the texts")
    parser.add_argument("--priority", choices=("marketing", "transactional"), default="marketing")
    parser.add_argument("--id", default=None, help="a UUID; the same id twice is one send")
    parser.add_argument("--send-at", default=None, help="ISO 8601, with an offset")
    parser.add_argument(
        "--watch", action="store_true", help="follow it until its account is closed"
    )
    parser.set_defaults(execute=_execute)


def _execute(options: argparse.Namespace) -> int:
    console = Console(stderr=True, highlight=False)
    try:
        return asyncio.run(_emit(options, Settings(), console))
    except InvalidPayload as exc:
        console.print(f"not a trigger: {exc.message}")
    except CarillonError as exc:
        console.print(exc.message)
    except ValidationError as exc:
        console.print(f"settings: {exc.errors()[0]['msg']}")
    except httpx.HTTPError as exc:
        console.print(f"the sender's ops API can't be reached: {type(exc).__name__}")
    except KeyboardInterrupt:
        console.print("stopped watching; the send goes on")
    return EXIT_REFUSED


def to_trigger(options: argparse.Namespace) -> dict[str, Any]:
    """The trigger that the options describe. Raises InvalidPayload."""
    try:
        variables = orjson.loads(options.variables)
    except orjson.JSONDecodeError as exc:
        raise InvalidPayload("--variables is not JSON") from exc
    trigger: dict[str, Any] = {
        "id": options.id or str(uuid.uuid4()),
        "app": options.app,
        "campaign": options.campaign,
        "priority": options.priority,
        "variables": variables,
    }
    if options.send_at:
        trigger["sendAt"] = options.send_at
    named = [
        {kind: value} for kind in ("visitor", "login", "player") for value in getattr(options, kind)
    ]
    if named and options.all:
        raise InvalidPayload("give --all or names, not both")
    if not named and not options.all:
        raise InvalidPayload("give --all, or at least one --visitor, --login or --player")
    return trigger | ({"audience": {"all": True}} if options.all else {"recipients": named})


async def _emit(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    body = orjson.dumps(to_trigger(options))
    head, trigger, _ = parse_trigger(body)
    if isinstance(trigger, InvalidPayload):
        raise trigger
    await ensure_topics(settings.kafka, TOPICS)
    async with open_log_writer(settings.kafka, "carillon-cli") as writer:
        await writer.publish([Outgoing(TRIGGERS.name, head.id, body, "trigger")])
    sys.stdout.write(f"{head.id}\n")
    return await _watch(head.id, settings, console) if options.watch else 0


async def _watch(send: str, settings: Settings, console: Console) -> int:
    """Progress until the account is closed. Exit code 0 unless the send is refused."""
    base = f"http://{settings.sender.host}:{settings.sender.port}"
    headers = {"Authorization": f"Bearer {settings.ops.token.get_secret_value()}"}
    columns = (
        TextColumn("{task.description}"), BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"), TimeElapsedColumn(),
    )  # fmt: skip
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=10) as http:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("waiting for intake", total=1)
            account = await _until_closed(http, send, progress, task)
    if account is None:
        console.print("no answer for too long; is the sender running? Look at /v1/dead-letters")
        return EXIT_REFUSED
    console.print(_table(account))
    return EXIT_REFUSED if account["state"] == "refused" else 0


async def _until_closed(
    http: httpx.AsyncClient, send: str, progress: Progress, task: TaskID
) -> dict[str, Any] | None:
    seen: Any = None
    quiet = 0.0
    while quiet < PATIENCE_SECONDS:
        answer = await http.get(f"/v1/sends/{send}")
        if answer.status_code not in (200, 404, 503):
            raise InvalidPayload(f"the ops API answers {answer.status_code}")
        if answer.status_code == 200:
            account: dict[str, Any] = answer.json()
            if account["closedAt"] is not None:
                progress.update(task, total=account["audience"] or 1, description=account["state"])
                progress.update(task, completed=account["audience"] or 1)
                return account
            total = account["audience"]
            held = ", held: message limit" if account["heldSince"] else ""
            progress.update(
                task,
                total=total or 1,
                completed=total - account["pending"],
                description=account["state"] + held,
            )
            quiet = 0.0 if account != seen else quiet
            seen = account
        quiet += POLL_SECONDS
        await asyncio.sleep(POLL_SECONDS)
    return None


def _table(account: dict[str, Any]) -> Table:
    table = Table("", "players", title=f"{account['campaign']} {account['id']}: {account['state']}")
    for row in ("audience", "sent", "pending"):
        table.add_row(row, str(account[row]))
    for group in ("suppressed", "failed"):
        for reason, count in sorted(account[group].items()):
            table.add_row(f"{group}: {reason}", str(count))
    for row in ("impressions", "clicks", "closes"):
        table.add_row(row, str(account[row]))
    if account["error"]:
        table.add_row("error", account["error"])
    return table
