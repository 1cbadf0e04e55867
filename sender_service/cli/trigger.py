"""`python -m sender_service trigger`: one trigger on `carillon.triggers`, followed to its account."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from sender_service.cli.ops import Refused, open_api, why_not
from sender_service.cli.sends import account_table
from sender_service.cli.target import add_options, to_trigger
from sender_service.models.trigger import parse_trigger
from shared.clock import utc_now
from shared.environment import load_settings
from shared.errors import CarillonError, InvalidPayload
from shared.ids import dead_letter_id
from shared.kafka import Outgoing, ensure_topics, open_log_writer
from shared.models.wire import to_iso
from shared.settings import Settings
from shared.topics import TOPICS, TRIGGERS

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 600.0  # without any progress
INTAKE_SECONDS = 60.0  # until there is a send of it; seen: below 1
CLOCKS_DIFFER = timedelta(hours=1)  # ours and the sender's: so far back a dead letter is looked for
EXIT_REFUSED = 1


def add_trigger_command(commands: Any) -> None:
    parser = commands.add_parser("trigger", help="emit a campaign trigger")
    add_options(parser)
    parser.add_argument("--id", default=None, help="a UUID; the same id twice is one send")
    parser.add_argument(
        "--watch", action="store_true", help="follow it until its account is closed"
    )
    parser.add_argument("--url", default=None, help="the ops API; by default this machine's")
    parser.set_defaults(execute=_execute)


def _execute(options: argparse.Namespace) -> int:
    console = Console(stderr=True, highlight=False, markup=False)
    try:
        return asyncio.run(_emit(options, load_settings(), console))
    except InvalidPayload as exc:
        console.print(f"not a trigger: {exc.message}")
    except Refused as exc:
        console.print(str(exc))
    except CarillonError as exc:
        console.print(exc.message, soft_wrap=True)
    except httpx.HTTPError as exc:
        console.print(f"the sender's ops API can't be reached: {type(exc).__name__}")
    except KeyboardInterrupt:
        console.print("stopped watching; the send goes on")
    return EXIT_REFUSED


async def _emit(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    body = orjson.dumps(to_trigger(options, options.id))
    head, trigger, digest = parse_trigger(body)
    if isinstance(trigger, InvalidPayload):
        raise trigger
    log_id = await ensure_topics(settings.kafka, TOPICS)
    async with open_log_writer(settings.kafka, "carillon-cli") as writer:
        place = await writer.publish_one(Outgoing(TRIGGERS.name, head.id, body, "trigger"))
    sys.stdout.write(f"{head.id}\n")
    sys.stdout.flush()
    if not options.watch:
        return 0
    told = Told(head.id, digest, dead_letter_id(log_id, *place))
    async with open_api(settings, options.url) as http:
        return await watch(http, told, console)


@dataclass(frozen=True)
class Told:
    """What was published: the send that it asks for, its content's digest, and the id of the dead
    letter that it would be."""

    send: str
    digest: str
    letter: str


async def watch(
    http: httpx.AsyncClient, told: Told, console: Console, intake_seconds: float = INTAKE_SECONDS
) -> int:
    """Progress until the account is closed. Exit code 0 unless there is no such send, or it is
    refused. Raises InvalidPayload, Refused, httpx.HTTPError."""
    columns = (
        TextColumn("{task.description}"), BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("waiting for intake", total=1)
        account = await _until_closed(http, told, progress, task, intake_seconds)
    if account is None:
        console.print("no progress for too long; is the sender running?")
        return EXIT_REFUSED
    console.print(account_table(account))
    return EXIT_REFUSED if account["state"] == "refused" else 0


async def _until_closed(
    http: httpx.AsyncClient, told: Told, progress: Progress, task: TaskID, intake_seconds: float
) -> dict[str, Any] | None:
    """None where nothing moved for too long. Raises Refused where there is no send of it for too long:
    also of a broker that another sender reads."""
    seen: Any = None
    quiet = 0.0
    while quiet < PATIENCE_SECONDS:
        if seen is None and quiet >= intake_seconds:
            why = "the trigger is published, but the sender has no send of it, or can't say:"
            raise Refused(404, f"{why} does it read CARILLON_KAFKA__BOOTSTRAP_SERVERS?")
        account = await _look(http, told)
        if account is not None:
            _draw(account, progress, task)
            if account["closedAt"] is not None:
                return account
        quiet = 0.0 if account != seen else quiet
        seen = account
        quiet += POLL_SECONDS
        await asyncio.sleep(POLL_SECONDS)
    return None


async def _look(http: httpx.AsyncClient, told: Told) -> dict[str, Any] | None:
    """The send's account; None while there is none yet. Raises InvalidPayload where there won't be."""
    answer = await http.get(f"/v1/sends/{told.send}")
    if answer.status_code == 200:
        account: dict[str, Any] = answer.json()
        if account["digest"] != told.digest:
            code = "trigger_id_reused"
            raise InvalidPayload(f"this id was a trigger with other content ({code}): {told.send}")
        return account
    if answer.status_code not in (404, 503):
        raise InvalidPayload(why_not(answer))
    if answer.status_code == 404:
        await _look_among_letters(http, told)
    return None


async def _look_among_letters(http: httpx.AsyncClient, told: Told) -> None:
    """Raises InvalidPayload, with the reason, when the trigger is one of them."""
    since = utc_now() - CLOCKS_DIFFER
    answer = await http.get("/v1/dead-letters", params={"since": to_iso(since), "limit": 500})
    for letter in answer.json()["items"] if answer.status_code == 200 else ():
        if letter["id"] == told.letter:
            why = f"{letter['message']} ({letter['code']})"
            raise InvalidPayload(f"{why}; it is the dead letter {told.letter}")


def _draw(account: dict[str, Any], progress: Progress, task: TaskID) -> None:
    total = account["audience"]
    held = ", held: message limit" if account["heldSince"] else ""
    done = (total or 1) if account["closedAt"] else total - account["pending"]
    progress.update(task, total=total or 1, completed=done, description=account["state"] + held)
