"""`scenario backfill|backfilled`: entries of before a scenario was on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rich.table import Table

from sender_service.cli.ops import ApiError, OpsClient, add_command, rows
from sender_service.cli.scenario_runs import scenario_path
from sender_service.cli.scenario_tasks import wait_for_task
from sender_service.ops.responses.backfills import BackfillResponse
from shared.clock import utc_now
from shared.models.wire import to_iso


def add_backfill_commands(group: Any) -> None:
    backfill = add_command(
        group, "backfill", _backfill, help="enter who would have entered lately; waits for the end"
    )
    since = backfill.add_mutually_exclusive_group(required=True)
    since.add_argument("--since", help="ISO 8601, with an offset; at most 7 days ago")
    since.add_argument("--hours", type=int, help="instead: so many hours ago, 1 to 168")
    backfill.add_argument(
        "--spread", type=int, default=60, help="minutes over which the pushes are spread, 60 to 720"
    )
    known = add_command(group, "backfilled", _show_backfill, help="one that was begun before")
    known.add_argument("n", metavar="N", type=int, help="its number")
    for parser in (backfill, known):
        parser.add_argument("--app", required=True)
        parser.add_argument("--scenario", required=True)


async def _backfill(ops: OpsClient) -> None:
    given = ops.options.since
    since = to_iso(utc_now() - timedelta(hours=ops.options.hours)) if given is None else given
    body = {"since": since, "spread": ops.options.spread}
    begun = await ops.call(BackfillResponse, "POST", scenario_path(ops, "backfill"), json=body)
    await _show(ops, begun.body.n)


async def _show_backfill(ops: OpsClient) -> None:
    await _show(ops, ops.options.n)


async def _show(ops: OpsClient, n: int) -> None:
    """Wait for the backfill's end, and print it. Raises ApiError where it failed."""
    path = scenario_path(ops, "backfills", str(n))
    found = await wait_for_task(ops, BackfillResponse, path)
    one = found.body
    table = Table("backfill", "state", "since", "log since", "entered", "refused")
    refused = ", ".join(f"{why} {count}" for why, count in sorted(one.refused.items()))
    state = one.fault or one.state
    row = (one.n, state, one.since, one.known_since, one.entered, refused)
    ops.show(found.json, rows(table, row))
    if one.fault is not None:
        raise ApiError(409, f"the backfill has failed: {one.fault}")
