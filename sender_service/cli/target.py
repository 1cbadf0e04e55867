"""Options of a command for a trigger's recipients; sending and preview share them."""

from __future__ import annotations

import argparse
import sys
import uuid
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any

import orjson

from sender_service.cli.answers import Answer, M
from sender_service.cli.ops import ApiError, OpsClient, read_json
from sender_service.models.trigger import MAX_TRIGGER_BYTES
from sender_service.ops.responses.preview import PreviewResponse
from sender_service.ops.responses.sends import MalformedNameResponse, SendResponse
from shared.errors import InvalidPayload
from shared.ids import is_visitor_id

Opened = AbstractContextManager[IO[bytes] | Iterator[bytes]]
TARGET_KINDS = ("visitor", "login", "player", "person")
LINES = "application/x-ndjson"
MOST_NAMES_PRINTED = 5  # names that were left out
PIECE_BYTES = 256 * 1024
LIST_SECONDS = 600.0  # that the API may take for a long list


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--app", required=True)
    parser.add_argument("--campaign", required=True)
    parser.add_argument("--all", action="store_true", help="everybody of the app")
    parser.add_argument(
        "--segment", default=None, metavar="FILE", help="whom it selects (JSON; - reads stdin)"
    )
    parser.add_argument(
        "--list", default=None, metavar="FILE",
        help='recipients, one a line: {"login": "…", "variables": {…}} (- reads stdin)',
    )  # fmt: skip
    for kind in TARGET_KINDS:
        parser.add_argument(
            f"--{kind}", action="append", default=[], metavar="ID", help="may repeat"
        )
    parser.add_argument("--variables", default="{}", help="a JSON object for the texts")
    parser.add_argument("--priority", choices=("marketing", "transactional"), default="marketing")
    parser.add_argument("--send-at", default=None, help="ISO 8601, with an offset")


def to_trigger(options: argparse.Namespace, send: str | None = None) -> dict[str, Any]:
    """Return the options' trigger. Raises InvalidPayload; ApiError where a file can't be read."""
    trigger: dict[str, Any] = {
        "id": send or str(uuid.uuid4()),
        "app": options.app,
        "campaign": options.campaign,
        "priority": options.priority,
        "variables": read_json(options.variables, "--variables"),
    }
    if options.send_at:
        trigger["sendAt"] = options.send_at
    return trigger | _target(options)


def _target(options: argparse.Namespace) -> dict[str, Any]:
    for visitor in options.visitor:
        if not is_visitor_id(visitor):
            raise InvalidPayload(f"--visitor {visitor}: 1 to 64 letters, digits, or any of _ - . :")
    named = [{kind: value} for kind in TARGET_KINDS for value in getattr(options, kind)]
    given = (bool(named), options.all, options.segment is not None, options.list is not None)
    if sum(given) > 1:
        raise InvalidPayload("give one of --all, --segment, --list, or names")
    if not any(given):
        raise InvalidPayload(
            "give --all, --segment, --list, or at least one --visitor, --login, --player or --person"
        )
    if options.list is not None:
        return {}
    if options.segment is not None:
        return {"audience": {"segment": read_json(options.segment)}}
    return {"audience": {"all": True}} if options.all else {"recipients": named}


async def post_trigger(
    ops: OpsClient, model: type[M], path: str, trigger: dict[str, Any]
) -> Answer[M]:
    """Post a trigger; a list is streamed, a recipient a line.

    Raises ApiError, UnknownAnswer, HTTPError.
    """
    if ops.options.list is not None:
        return await _post_lines(ops, model, path, (trigger, _open(ops.options.list)))
    body = orjson.dumps(trigger)
    if len(body) > MAX_TRIGGER_BYTES and "recipients" in trigger:
        lines = (orjson.dumps(one) + b"\n" for one in trigger.pop("recipients"))
        return await _post_lines(ops, model, path, (trigger, nullcontext(lines)))
    headers = {"Content-Type": "application/json"}
    return await ops.call(model, "POST", path, content=body, headers=headers)


def note_left_out(ops: OpsClient, answer: SendResponse | PreviewResponse) -> None:
    """Print which names were left out, and why, to the standard error: the first few of them."""
    count = answer.people.malformed
    if count:
        ops.note(f"left out: {count} of the names given")
        for name in answer.malformed[:MOST_NAMES_PRINTED]:
            ops.note(f"  {_where(ops.options, name)}{name.message}")
        if count > MOST_NAMES_PRINTED:
            ops.note(f"  and {count - MOST_NAMES_PRINTED} more")


def _where(options: argparse.Namespace, name: MalformedNameResponse) -> str:
    """Return the option that gave the name; of a line nothing, for its message names it."""
    given = [f"--{kind} {value}: " for kind in TARGET_KINDS for value in getattr(options, kind)]
    return given[name.index] if name.index < len(given) and options.list is None else ""


def _open(source: str) -> AbstractContextManager[IO[bytes]]:
    """Open a file or the standard input (-). Raises ApiError."""
    try:
        return nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb")
    except OSError as exc:
        raise ApiError(400, f"{source}: {exc.strerror}") from exc


async def _post_lines(
    ops: OpsClient, model: type[M], path: str, parts: tuple[dict[str, Any], Opened]
) -> Answer[M]:
    trigger, opened = parts
    with opened as lines:
        content = _pieces(orjson.dumps(trigger), iter(lines))
        headers = {"Content-Type": LINES}
        return await ops.call(
            model, "POST", path, content=content, headers=headers, timeout=LIST_SECONDS,
            params={"firstLine": 0},
        )  # fmt: skip


async def _pieces(head: bytes, lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the trigger's line and the list's lines, many in a piece."""
    # A piece costs as much as a line.
    piece = bytearray(head + b"\n" + next(lines, b"").removeprefix(BOM_UTF8))
    for line in lines:
        piece += line
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)
