"""`why`: outcomes of a person in sends. `person search|show|export|erase|undo-merge`."""

from __future__ import annotations

import argparse
from typing import Any

from rich.table import Table

from sender_service.cli.answers import Answer
from sender_service.cli.ops import ApiError, OpsClient, add_command, add_group, path_of, rows
from sender_service.ops.responses.base import Items
from sender_service.ops.responses.people import (
    ErasureResponse,
    ExplanationResponse,
    OutcomeResponse,
    PersonResponse,
    UndoneMergeResponse,
)

PERSON_OPTIONS = ("login", "visitor", "player", "email", "person")


def add_why_command(commands: Any) -> None:
    parser = add_command(
        commands, "why", _why, help="why somebody did, or did not, get a push",
        epilog="Without --send it looks in the app's newest sends.",
    )  # fmt: skip
    add_names(parser)
    parser.add_argument("--send", default=None, metavar="ID")


def add_person_commands(commands: Any) -> None:
    group = add_group(commands, "person", help="what is known about somebody, and forgetting it")
    add_names(add_command(group, "search", _show_found, help="people that a name leads to"))
    for name, work, help in (
        ("show", _show, "one, as JSON"),
        ("export", _export, "all that is known, as JSON"),
        ("erase", _erase, "forget a person, everywhere and for good"),
        ("undo-merge", _undo, "part what was joined: the two never join again"),
    ):
        parser = add_command(group, name, work, help=help)
        parser.add_argument("person", metavar="ID", help="of a person, as `search` shows it")
        if name == "erase":
            parser.add_argument("--yes", action="store_true", help="needed: it can't be undone")
        if name == "undo-merge":
            parser.add_argument("--merge", required=True, metavar="ID", help="as `export` shows it")


def add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--app", required=True)
    who = parser.add_mutually_exclusive_group(required=True)
    for kind in PERSON_OPTIONS:
        who.add_argument(f"--{kind}", default=None)


async def find_people(ops: OpsClient) -> Answer[Items[PersonResponse]]:
    options = ops.options
    name = {kind: getattr(options, kind) for kind in PERSON_OPTIONS if getattr(options, kind)}
    body = {"app": options.app, **name}
    found = await ops.call(Items[PersonResponse], "POST", "/v1/people/search", json=body)
    if not found.body.items:
        raise ApiError(404, "nobody is known by this name")
    return found


async def _show_found(ops: OpsClient) -> None:
    found = await find_people(ops)
    table = Table("person", "login", "email", "browsers", "players", "last seen")
    rows(table, *(
        (p.id, p.login, p.email, len(p.visitors), len(p.players), p.last_seen_at)
        for p in found.body.items
    ))  # fmt: skip
    ops.show(found.json, table)


async def _show(ops: OpsClient) -> None:
    ops.show_json(await ops.get_json(path_of("people", ops.options.person)))


async def _export(ops: OpsClient) -> None:
    ops.show_json(await ops.get_json(path_of("people", ops.options.person, "export")))


async def _erase(ops: OpsClient) -> None:
    if not ops.options.yes:
        raise ApiError(400, "it can't be undone: say --yes")
    path = path_of("people", ops.options.person, "erase")
    done = await ops.call(ErasureResponse, "POST", path)
    row = (done.body.person, done.body.count)
    ops.show(done.json, rows(Table("person", "events"), row))


async def _undo(ops: OpsClient) -> None:
    path = path_of("people", ops.options.person, "merges", "undo")
    body = {"merge": ops.options.merge}
    done = await ops.call(UndoneMergeResponse, "POST", path, json=body)
    row = (done.body.person, done.body.event)
    ops.show(done.json, rows(Table("person", "event"), row))


async def _why(ops: OpsClient) -> None:
    options = ops.options
    found = await find_people(ops)
    params = {"send": options.send} if options.send else {}
    answers = [(person.id, await _of(ops, person.id, params)) for person in found.body.items]
    json = {"people": [{"person": person, **answer.json} for person, answer in answers]}
    ops.show(json, *(outcome_table(person, answer.body) for person, answer in answers))


async def _of(ops: OpsClient, person: str, params: dict[str, str]) -> Answer[ExplanationResponse]:
    return await ops.call(
        ExplanationResponse, "GET", path_of("people", person, "why"), params=params
    )


def outcome_table(person: str, answer: ExplanationResponse) -> Table:
    searched = answer.sends_searched
    where = "" if searched is None else f", looked in {searched} sends"
    title = f"person {person}{where}"
    table = Table("campaign", "send", "player", "outcome", "reason", "at", title=title)
    if not answer.items:
        table.caption = "in none of them: no player of this person was in an audience"
    return rows(table, *(
        (i.campaign, i.send, i.player, i.outcome, _reason(i), i.at) for i in answer.items
    ))  # fmt: skip


def _reason(item: OutcomeResponse) -> str | None:
    return f"{item.reason}: {item.detail}" if item.detail else item.reason
