"""An audience, streamed in an order that can be resumed: people one after another, each with a cursor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sender_service.models.trigger import Recipient, Trigger
from sender_service.store.people import PeopleReader
from shared.ids import SLOTS

NAMES_A_READ = 100
PEOPLE_A_READ = 500  # what a range of slots should hold: enough for a round trip, little memory
FIRST_WIDTH = 16
Cursor = Any  # [slot, person] or an index into the names: JSON, kept in the page


@dataclass(frozen=True)
class Candidate:
    """One person (or nobody behind a name) of the audience; `cursor` goes on after them.

    `players` narrows the person to the player that was named.
    """

    cursor: Cursor
    profile: dict[str, Any] | None
    variables: dict[str, Any] = field(default_factory=dict)
    player: str | None = None


async def candidates(
    people: PeopleReader, trigger: Trigger, after: Cursor
) -> AsyncIterator[Candidate]:
    """Everybody of the audience behind the cursor `after` (None: from the start)."""
    if trigger.named() is None:
        async for candidate in _everybody(people, trigger.app, after):
            yield candidate
    else:
        async for candidate in _named(people, trigger, after or 0):
            yield candidate


async def _everybody(people: PeopleReader, app: str, after: Cursor) -> AsyncIterator[Candidate]:
    slot, last = (0, "") if after is None else (after[0], after[1])
    width = FIRST_WIDTH
    while slot < SLOTS:
        found = await people.in_slots(app, slot, slot + width - 1)
        for profile in found:
            if (profile["slot"], profile["_id"]) > (slot, last):
                yield Candidate([profile["slot"], profile["_id"]], profile)
        slot, last = slot + width, ""
        if len(found) < PEOPLE_A_READ // 2:
            width = min(width * 2, SLOTS)
        elif len(found) > PEOPLE_A_READ * 2:
            width = max(width // 2, 1)


async def _named(people: PeopleReader, trigger: Trigger, start: int) -> AsyncIterator[Candidate]:
    names = islice(trigger.named() or (), start, None)
    at = start
    while batch := list(islice(names, NAMES_A_READ)):
        profiles = await _resolve(people, trigger.app, batch)
        for recipient in batch:
            at += 1
            kind, name = recipient.address
            yield Candidate(
                at,
                profiles.get((kind, name)),
                recipient.variables,
                name if kind == "player" else None,
            )


async def _resolve(
    people: PeopleReader, app: str, batch: list[Recipient]
) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, look_up in (
        ("login", people.by_logins),
        ("visitor", people.by_visitors),
        ("player", people.by_players),
    ):
        names = [r.address[1] for r in batch if r.address[0] == kind]
        if names:
            found |= {(kind, name): p for name, p in (await look_up(app, names)).items()}
    return found
