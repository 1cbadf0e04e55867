"""`python -m sender_service [--only ROLE,…]` runs it; `… trigger` emits a trigger."""

from __future__ import annotations

import argparse
import functools
import sys

from sender_service.cli.trigger import add_trigger_command
from sender_service.main import ROLES, run
from shared.service import run_service


def _roles(text: str) -> list[str]:
    roles = [role.strip() for role in text.split(",") if role.strip()]
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        raise argparse.ArgumentTypeError(f"roles are {', '.join(ROLES)}")
    return roles


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sender_service", description=__doc__)
    parser.add_argument(
        "--only", type=_roles, default=list(ROLES), help="the roles to run, by commas"
    )
    add_trigger_command(parser.add_subparsers(dest="command"))
    options = parser.parse_args(arguments)
    if options.command is not None:
        return int(options.execute(options))
    return run_service("sender", functools.partial(run, roles=options.only))


if __name__ == "__main__":
    sys.exit(main())
