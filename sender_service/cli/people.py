"""`why`: why did (or didn't) she get it?"""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sender_service.cli.ops import Ops, Refused, add_command, rows

KINDS = ("login", "visitor", "player", "email")


def add_why_command(commands: Any) -> None:
    parser = add_command(
        commands, "why", _why, help="why somebody did, or did not, get a push",
        epilog="Without --send it looks in the app's newest sends.",
    )  # fmt: skip
    parser.add_argument("--app", required=True)
    parser.add_argument("--send", default=None, metavar="ID")
    who = parser.add_mutually_exclusive_group(required=True)
    for kind in KINDS:
        who.add_argument(f"--{kind}", default=None)


async def _why(ops: Ops) -> None:
    options = ops.options
    name = {kind: getattr(options, kind) for kind in KINDS if getattr(options, kind)}
    found = await ops.call("POST", "/v1/people/search", json={"app": options.app, **name})
    if not found["items"]:
        raise Refused(404, "nobody is known by this name")
    params = {"send": options.send} if options.send else {}
    answers = [
        {"person": person["id"], **await _of(ops, person["id"], params)}
        for person in found["items"]
    ]
    ops.show({"people": answers}, *(_table(answer) for answer in answers))


async def _of(ops: Ops, person: str, params: dict[str, str]) -> Any:
    return await ops.call("GET", f"/v1/people/{person}/why", params=params)


def _table(answer: dict[str, Any]) -> Table:
    looked = f", looked in {answer['looked']} sends" if "looked" in answer else ""
    title = f"person {answer['person']}{looked}"
    table = Table("campaign", "send", "player", "outcome", "reason", "at", title=title)
    names = ("campaign", "send", "player", "outcome", "reason", "at")
    if not answer["items"]:
        table.caption = "in none of them: no player of this person was in an audience"
    return rows(table, *(tuple(item[name] for name in names) for item in answer["items"]))
