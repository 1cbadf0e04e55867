"""`preview`: a send's audience, suppressions, texts and duration, without sending."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sender_service.cli.ops import ApiError, OpsClient, add_command, path_of, rows
from sender_service.cli.target import add_options, note_left_out, post_trigger, to_trigger
from shared.errors import InvalidPayload


def add_preview_command(commands: Any) -> None:
    parser = add_command(commands, "preview", _preview, help="plan a trigger, and send nothing")
    add_options(parser)


async def _preview(ops: OpsClient) -> None:
    try:
        trigger = to_trigger(ops.options)
    except InvalidPayload as exc:
        raise ApiError(400, f"not a trigger: {exc.message}") from exc
    told = await post_trigger(ops, path_of("sends", "preview"), trigger)
    ops.show(told, _counts(told), _samples(told))
    note_left_out(ops, told)
    if told["wouldBeRefused"]:
        raise ApiError(409, f"it would be refused: {told['wouldBeRefused']}")


def _counts(told: dict[str, Any]) -> Table:
    exact = "" if told["exact"] else f", from {told['planned']['share']:.0%} of them"
    table = Table("", "players", title=f"{told['campaign']}{exact}")
    rows(table, ("audience", told["audience"]), ("would get it", told["wouldGet"]["players"]))
    for group in ("suppressed", "failed"):
        rows(table, *((f"{group}: {why}", n) for why, n in sorted(told[group].items())))
    rows(table, ("people who would get it", told["wouldGet"]["people"]))
    rows(table, ("people: no player", told["people"]["no_player"]))
    rows(table, ("calls", told["forecast"]["calls"]), ("seconds", told["forecast"]["seconds"]))
    if told["quietHours"]:
        rows(table, (f"wait until {told['quietHours']['until']}", told["quietHours"]["waiting"]))
    rows(table, *(("warning", warning["message"]) for warning in told["warnings"]))
    return table


def _samples(told: dict[str, Any]) -> Table:
    table = Table("language", "variant", "heading", "content", "url")
    names = ("language", "variant", "heading", "content", "url")
    return rows(table, *(tuple(sample[name] for name in names) for sample in told["samples"]))
