"""Runs the sender (`python -m sender_service [--only ROLE,…]`), or a command of an operator."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence

from sender_service.cli.apps import add_app_commands, add_audit_command
from sender_service.cli.campaigns import add_campaign_commands
from sender_service.cli.dead_letters import add_dead_letter_commands
from sender_service.cli.people import add_person_commands, add_why_command
from sender_service.cli.preview import add_preview_command
from sender_service.cli.scenarios import add_scenario_commands
from sender_service.cli.schemas import add_schemas_command
from sender_service.cli.sends import add_send_commands
from sender_service.cli.tokens import add_token_commands
from sender_service.cli.trigger import add_trigger_command
from sender_service.roles import ROLES
from shared.terminal import replace_unwritable, run_to_pipe

COMMANDS = (
    add_trigger_command,
    add_preview_command,
    add_send_commands,
    add_why_command,
    add_campaign_commands,
    add_scenario_commands,
    add_app_commands,
    add_person_commands,
    add_audit_command,
    add_dead_letter_commands,
    add_token_commands,
    add_schemas_command,
)


def _roles(text: str) -> list[str]:
    roles = [role.strip() for role in text.split(",") if role.strip()]
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        raise argparse.ArgumentTypeError(f"roles are {', '.join(ROLES)}")
    return roles


def build_parser() -> argparse.ArgumentParser:
    return _parser_and_commands()[0]


def _parser_and_commands() -> tuple[argparse.ArgumentParser, list[str]]:
    parser = argparse.ArgumentParser(prog="python -m sender_service", description=__doc__)
    parser.add_argument(
        "--only", type=_roles, default=list(ROLES), help="the roles to run, by commas"
    )
    commands = parser.add_subparsers(dest="command")
    for add in COMMANDS:
        add(commands)
    return parser, list(commands.choices)


def main(arguments: list[str] | None = None) -> int:
    parser, commands = _parser_and_commands()
    options = parser.parse_args(arguments)
    if options.command is not None:
        replace_unwritable()
        return int(options.execute(options))
    return _serve(options.only, commands)


def _serve(roles: Sequence[str], commands: Sequence[str]) -> int:
    # Imported here: a command needs neither, and they take most of its start.
    from sender_service.main import run
    from shared.service import log_startup, run_service

    log_startup("sender", commands)
    return run_service("sender", functools.partial(run, roles=roles), serves_ops=True)


if __name__ == "__main__":
    sys.exit(run_to_pipe(main))
