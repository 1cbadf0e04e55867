"""Whom a trigger is for, as options of a command: to be sent, or looked at before."""

from __future__ import annotations

import argparse
import uuid
from typing import Any

from sender_service.cli.ops import read_json
from shared.errors import InvalidPayload
from shared.ids import is_visitor_id

KINDS = ("visitor", "login", "player")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--app", required=True)
    parser.add_argument("--campaign", required=True)
    parser.add_argument("--all", action="store_true", help="everybody of the app")
    parser.add_argument(
        "--segment", default=None, metavar="FILE", help="whom it selects (JSON; - reads stdin)"
    )
    for kind in KINDS:
        parser.add_argument(
            f"--{kind}", action="append", default=[], metavar="ID", help="may repeat"
        )
    parser.add_argument("--variables", default="{}", help="a JSON object for the texts")
    parser.add_argument("--priority", choices=("marketing", "transactional"), default="marketing")
    parser.add_argument("--send-at", default=None, help="ISO 8601, with an offset")


def to_trigger(options: argparse.Namespace, send: str | None = None) -> dict[str, Any]:
    """The trigger that the options describe. Raises InvalidPayload; Refused where a file isn't read."""
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
    named = [{kind: value} for kind in KINDS for value in getattr(options, kind)]
    given = (bool(named), options.all, options.segment is not None)
    if sum(given) > 1:
        raise InvalidPayload("give one of --all, --segment, or names")
    if not any(given):
        raise InvalidPayload(
            "give --all, --segment, or at least one --visitor, --login or --player"
        )
    if options.segment is not None:
        return {"audience": {"segment": read_json(options.segment)}}
    return {"audience": {"all": True}} if options.all else {"recipients": named}
