"""`preview`: a send's audience, suppressions, texts and duration, without sending."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sender_service.cli.ops import ApiError, OpsClient, add_command, path_of, rows
from sender_service.cli.target import add_options, note_left_out, post_trigger, to_trigger
from sender_service.ops.responses.preview import PreviewResponse
from shared.errors import InvalidPayload


def add_preview_command(commands: Any) -> None:
    parser = add_command(commands, "preview", _preview, help="plan a trigger, and send nothing")
    add_options(parser)


async def _preview(ops: OpsClient) -> None:
    try:
        trigger = to_trigger(ops.options)
    except InvalidPayload as exc:
        raise ApiError(400, f"not a trigger: {exc.message}") from exc
    answer = await post_trigger(ops, PreviewResponse, path_of("sends", "preview"), trigger)
    found = answer.body
    ops.show(answer.json, _counts(found), _samples(found))
    note_left_out(ops, found)
    if found.refusal:
        raise ApiError(409, f"it would be refused: {found.refusal}")


def _counts(found: PreviewResponse) -> Table:
    exact = "" if found.exact else f", from {found.planned.share:.0%} of them"
    table = Table("", "players", title=f"{found.campaign}{exact}")
    rows(table, ("audience", found.audience), ("would get it", found.would_receive.players))
    for group, counts in (("suppressed", found.suppressed), ("failed", found.failed)):
        rows(table, *((f"{group}: {why}", n) for why, n in sorted(counts.items())))
    rows(table, ("people who would get it", found.would_receive.people))
    rows(table, ("people: no player", found.people.no_player))
    rows(table, ("calls", found.forecast.calls), ("seconds", found.forecast.seconds))
    if found.quiet_hours is not None:
        until = f"{found.quiet_hours.until:%Y-%m-%dT%H:%M:%SZ}"
        rows(table, (f"wait until {until}", found.quiet_hours.waiting))
    return rows(table, *(("warning", warning.message) for warning in found.warnings))


def _samples(found: PreviewResponse) -> Table:
    table = Table("language", "variant", "heading", "content", "url")
    return rows(
        table, *((s.language, s.variant, s.heading, s.content, s.url) for s in found.samples)
    )
