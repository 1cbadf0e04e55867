"""`python -m ingest_service [--only ROLE]` runs ingest.

Its commands are `import`, `replay` and `snapshot`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from ingest_service.importer.command import import_file
from ingest_service.main import ROLES, run
from ingest_service.replay.command import replay
from ingest_service.snapshot.take import take_snapshot
from shared.environment import load_settings
from shared.errors import CarillonError
from shared.mongo.client import open_database
from shared.service import OWNER_ONLY, log_startup, run_service
from shared.settings import Settings
from shared.terminal import replace_unwritable, run_to_pipe

EXIT_COMMAND_REFUSED = 2
Command = Callable[[argparse.Namespace, Settings], Coroutine[Any, Any, int]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ingest_service", description=__doc__)
    parser.add_argument("--only", default=",".join(ROLES), help="roles, separated by commas")
    parser.add_argument("--port", type=int, help="instead of CARILLON_INGEST__PORT")
    commands = parser.add_subparsers(dest="command")
    importing = commands.add_parser("import", help="subscribers from OneSignal's CSV export")
    importing.add_argument("file", type=Path, help="plain or gzip")
    importing.add_argument("--app", required=True)
    importing.add_argument("--restart", action="store_true", help="from the first row again")
    commands.add_parser("replay", help="rebuild the profiles from the last snapshot and the log")
    snapshot = commands.add_parser(
        "snapshot", help="copy the projections, for a replay to begin with"
    )
    snapshot.add_argument("--final", action="store_true", help="the log ends here; all is consumed")
    return parser


async def _import(given: argparse.Namespace, settings: Settings) -> int:
    return await import_file(settings, given.file, given.app, restart=given.restart)


async def _replay(_: argparse.Namespace, settings: Settings) -> int:
    return await replay(settings)


async def _snapshot(given: argparse.Namespace, settings: Settings) -> int:
    async with open_database(settings.mongo, "carillon-snapshot") as database:
        path = await take_snapshot(settings, database, final=given.final)
    sys.stdout.write(f"{path}\n")
    return 0


COMMANDS: dict[str, Command] = {"import": _import, "replay": _replay, "snapshot": _snapshot}
NEED_SECRET = ("replay",)  # it makes the ids of persons again; the others neither make nor read any


def _run_command(given: argparse.Namespace) -> int:
    """Run a command and return its exit code; print one sentence when it fails."""
    replace_unwritable()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        settings = load_settings()
        if given.command in NEED_SECRET:
            settings.check_secrets(
                serves_ops=False, hint="; beside `make run`: CARILLON_DEVELOPMENT=true"
            )
        return asyncio.run(COMMANDS[given.command](given, settings))
    except CarillonError as exc:
        reason = exc.message
    except BrokenPipeError:
        raise
    except OSError as exc:  # a full disk, a folder that isn't ours
        reason = f"{exc.filename or settings.data_dir}: {exc.strerror}"
    sys.stderr.write(f"{given.command}: {reason}\n")
    return EXIT_COMMAND_REFUSED


def main() -> int:
    os.umask(OWNER_ONLY)
    parser = _parser()
    given = parser.parse_args()
    if given.command is not None:
        return _run_command(given)
    roles = frozenset(given.only.split(","))
    unknown = roles - set(ROLES)
    if unknown:
        parser.error(f"--only knows {', '.join(ROLES)}, not {', '.join(sorted(unknown))}")
    log_startup("ingest", COMMANDS)
    return run_service("ingest", lambda settings, stop: run(settings, stop, roles, given.port))


if __name__ == "__main__":
    sys.exit(run_to_pipe(main))
