"""Client of the ops API for commands: its errors as one sentence, exit codes.

Exit codes: 0 done, 1 refused with the API's reason, 2 wrong arguments, 3 the API can't be reached or
fails. With `--json` a command prints the API's answer as it is.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson
from rich.console import Console
from rich.table import Table

from sender_service.cli.answers import Answer, M, UnknownAnswer, read_json_answer, to_answer
from sender_service.cli.screen import error_console, open_console, print_json, print_tables
from sender_service.cli.text_files import as_utf8
from sender_service.ops.responses.base import WarningResponse
from sender_service.ops.responses.problems import Problem
from shared.environment import load_settings
from shared.errors import FieldError, Rejected
from shared.json_faults import describe_fault
from shared.models.wire import to_iso
from shared.settings import PRINTED, Settings

EXIT_REQUEST_REFUSED = 1
EXIT_ARGUMENTS = 2
EXIT_UNREACHABLE = 3
TIMEOUT_SECONDS = 60.0
ANYWHERE = ("0.0.0.0", "::", "")  # a service may listen there; a client can't call it


class ApiError(Exception):
    """Failure of a command: the API's refusal, or a wrong input."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = EXIT_UNREACHABLE if status >= 500 else EXIT_REQUEST_REFUSED


@dataclass(frozen=True)
class OpsClient:
    """Client of the ops API, with the command's options and its output."""

    http: httpx.AsyncClient
    options: argparse.Namespace
    console: Console

    async def call(self, model: type[M], method: str, path: str, **more: Any) -> Answer[M]:
        """Call the API; read its answer. Raises ApiError, UnknownAnswer, httpx.HTTPError."""
        return to_answer(model, await self._request(method, path, **more))

    async def get_json(self, path: str) -> Any:
        """Return an answer of no fixed shape. Raises ApiError, UnknownAnswer, httpx.HTTPError."""
        return read_json_answer(await self._request("GET", path))

    async def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = await self.http.request(method, path, **more)
        if answer.is_success:
            return answer
        raise ApiError(answer.status_code, why_not(answer))

    def show(self, json: Any, *tables: Table) -> None:
        """Print tables, or with `--json` the answer as it came."""
        if self.options.json:
            self.show_json(json)
        else:
            print_tables(self.console, tables)

    def show_json(self, json: Any) -> None:
        print_json(self.console, json)

    def warn(self, warnings: Iterable[WarningResponse | FieldError]) -> None:
        """Print warnings to the standard error."""
        errors = error_console()
        for found in warnings:
            field = "" if found.field is None else f"{found.field}: "
            errors.print(f"warning: {field}{found.message}")

    def note(self, text: str) -> None:
        """Print a remark to the standard error."""
        error_console().print(text)


Work = Callable[[OpsClient], Awaitable[None]]


def add_command(
    commands: Any, name: str, work: Work, *, help: str, epilog: str | None = None
) -> argparse.ArgumentParser:
    """Add a command that runs `work` with the API; return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help, description=help, epilog=epilog
    )
    parser.add_argument("--url", default=None, help="the ops API; by default this machine's")
    parser.add_argument("--json", action="store_true", help="print the API's answer as it is")
    parser.set_defaults(execute=lambda options: execute(options, work), work=work)
    return parser


def add_group(commands: Any, name: str, *, help: str) -> Any:
    """Add a command with subcommands; return the parser that takes them."""
    group = commands.add_parser(name, help=help, description=help)
    return group.add_subparsers(dest="action", required=True)


def execute(options: argparse.Namespace, work: Work) -> int:
    """Run the command; return its exit code."""
    errors = error_console()
    if any(_has_no_text(given) for given in vars(options).values()):
        errors.print("an argument has bytes that are no text in UTF-8")
        return EXIT_ARGUMENTS
    try:
        asyncio.run(_with_api(options, load_settings(), work))
    except ApiError as exc:
        errors.print(str(exc))
        return exc.exit_code
    except UnknownAnswer as exc:
        errors.print(str(exc))
        return EXIT_UNREACHABLE
    except Rejected as exc:
        errors.print(exc.message)
        return EXIT_ARGUMENTS
    except httpx.InvalidURL as exc:
        errors.print(f"--url: {exc}")
        return EXIT_ARGUMENTS
    except httpx.HTTPError as exc:
        errors.print(f"the ops API can't be reached: {type(exc).__name__}; is the sender running?")
        return EXIT_UNREACHABLE
    except KeyboardInterrupt:
        return EXIT_REQUEST_REFUSED
    return 0


def _has_no_text(given: object) -> bool:
    """Check whether an argument has bytes that aren't UTF-8."""
    # Python decodes those as lone surrogates.
    values = given if isinstance(given, list) else [given]
    return any(isinstance(one, str) and not one.isascii() and _is_broken(one) for one in values)


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


async def _with_api(options: argparse.Namespace, settings: Settings, work: Work) -> None:
    async with open_api(settings, options.url) as http:
        await work(OpsClient(http, options, open_console()))


def open_api(settings: Settings, url: str | None = None) -> httpx.AsyncClient:
    """Open a client of the ops API, by default this machine's, with its token. Raises Rejected."""
    host = "127.0.0.1" if settings.sender.host in ANYWHERE else settings.sender.host
    return httpx.AsyncClient(
        base_url=url or f"http://{host}:{settings.sender.port}",
        headers={"Authorization": f"Bearer {_read_token(settings)}"},
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
    )


def _read_token(settings: Settings) -> str:
    """Return the token. Raises Rejected where no header can hold it."""
    # The HTTP library's error would print it.
    token = settings.ops.token.get_secret_value()
    if not token:
        raise Rejected("CARILLON_OPS__TOKEN is empty")
    if not PRINTED.fullmatch(token):
        raise Rejected(
            "CARILLON_OPS__TOKEN has blanks, or letters that are in no token: no header can hold it"
        )
    return token


def path_of(*steps: str) -> str:
    """Return the path below `/v1` with these steps, percent-encoded."""
    return "/v1/" + "/".join(quote(step, safe="") for step in steps)


def read_json(source: str, option: str | None = None) -> Any:
    """Parse JSON of a file, of the standard input (-) or of an option's value. Raises ApiError."""
    try:
        if option is not None:
            written: bytes | str = source.lstrip("\ufeff")
            return orjson.loads(written)
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        written = as_utf8(content)
        return orjson.loads(written)
    except OSError as exc:
        raise ApiError(400, f"{source}: {exc.strerror}") from exc
    except orjson.JSONDecodeError as exc:
        place = describe_fault(written, exc)
        raise ApiError(400, f"{option or source} is not JSON: {place}") from None


def why_not(answer: httpx.Response) -> str:
    """Return the API's errors, or the status where another server answered."""
    try:
        problem = to_answer(Problem, answer).body
    except UnknownAnswer:
        return f"the ops API answers {answer.status_code}"
    if answer.status_code == 401:
        return f"{problem.message}: set CARILLON_OPS__TOKEN"
    more = [f"\n{e.field}: {e.message}" for e in problem.errors[1:]]  # the message has the first
    return f"{problem.message} ({problem.code}){''.join(more)}"


def rows(table: Table, *more: tuple[object, ...]) -> Table:
    """Add rows to the table and return it; None is a dash."""
    for row in more:
        table.add_row(*map(_to_text, row))
    return table


def _to_text(cell: object) -> str:
    if isinstance(cell, datetime):
        return to_iso(cell)
    return "-" if cell is None else str(cell)
