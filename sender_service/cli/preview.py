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
    answer = await post_trigger(ops, path_of("sends", "preview"), trigger)
    ops.show(answer, _counts(answer), _samples(answer))
    note_left_out(ops, answer)
    if answer["refusal"]:
        raise ApiError(409, f"it would be refused: {answer['refusal']}")


def _counts(answer: dict[str, Any]) -> Table:
    exact = "" if answer["exact"] else f", from {answer['planned']['share']:.0%} of them"
    table = Table("", "players", title=f"{answer['campaign']}{exact}")
    rows(
        table, ("audience", answer["audience"]), ("would get it", answer["wouldReceive"]["players"])
    )
    for group in ("suppressed", "failed"):
        rows(table, *((f"{group}: {why}", n) for why, n in sorted(answer[group].items())))
    rows(table, ("people who would get it", answer["wouldReceive"]["people"]))
    rows(table, ("people: no player", answer["people"]["no_player"]))
    rows(table, ("calls", answer["forecast"]["calls"]), ("seconds", answer["forecast"]["seconds"]))
    if answer["quietHours"]:
        rows(
            table, (f"wait until {answer['quietHours']['until']}", answer["quietHours"]["waiting"])
        )
    rows(table, *(("warning", warning["message"]) for warning in answer["warnings"]))
    return table


def _samples(answer: dict[str, Any]) -> Table:
    table = Table("language", "variant", "heading", "content", "url")
    names = ("language", "variant", "heading", "content", "url")
    return rows(table, *(tuple(sample[name] for name in names) for sample in answer["samples"]))
