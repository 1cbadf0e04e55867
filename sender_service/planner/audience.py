"""An audience, streamed in an order that can be resumed: people one after another, each with a cursor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sender_service.models.segment import Segment
from sender_service.models.send import Send
from sender_service.models.trigger import Recipient, Trigger
from sender_service.planner.seen import SeenTexts
from sender_service.planner.segments import to_filter
from sender_service.store.parts import PartStore
from sender_service.store.people import PeopleReader
from sender_service.store.segments import SegmentReader
from shared.errors import Rejected
from shared.ids import SLOTS

NAMES_A_READ = 100
PEOPLE_A_READ = 500  # what a range of slots should hold: enough for a round trip, little memory
FIRST_WIDTH = 16
Cursor = Any  # [slot, person] or [part, index in it]: JSON, kept in the page


@dataclass(frozen=True)
class Candidate:
    """One person (or nobody behind a name) of the audience; `cursor` goes on after them.

    `players` narrows the person to the player that was named.
    """

    cursor: Cursor
    profile: dict[str, Any] | None
    variables: dict[str, Any] = field(default_factory=dict)
    player: str | None = None


@dataclass(frozen=True)
class Batch:
    """What one read brought; `share` of the audience is behind it."""

    candidates: list[Candidate]
    share: float


@dataclass(frozen=True)
class Target:
    """Whom a send is for: a list (in itself, or in parts), a segment, or everybody.

    `now` is the moment that a segment is evaluated at, the same whenever planning is resumed.
    """

    app: str
    now: datetime
    names: Sequence[Recipient] | None = None
    parts: Sequence[str] = ()
    segment: Segment | None = None

    @property
    def is_list(self) -> bool:
        return self.names is not None or bool(self.parts)


def to_target(trigger: Trigger, now: datetime) -> Target:
    """Of a trigger that is whole."""
    named = trigger.named()
    segment = trigger.audience.segment if trigger.audience is not None else None
    return Target(trigger.app, now, None if named is None else list(named), (), segment)


def target_of(send: Send) -> Target:
    """Raises Rejected when parts of its list never came."""
    parts = send.get("parts")
    if parts is not None:
        if not parts["complete"]:
            missing = parts["of"] - len(parts["got"])
            raise Rejected(f"{missing} of {parts['of']} parts never came", code="parts_missing")
        ids = [parts["got"][str(n + 1)] for n in range(parts["of"])]
        return Target(send["app"], send["dueAt"], None, ids)
    return to_target(Trigger.model_validate(send["trigger"]), send["dueAt"])


@dataclass(frozen=True)
class AudienceReader:
    """Reads who is meant. Every method raises StoreUnavailable when MongoDB is away."""

    people: PeopleReader
    segments: SegmentReader
    parts: PartStore

    async def candidates(self, target: Target, after: Cursor) -> AsyncGenerator[Candidate, None]:
        """Everybody of the audience behind the cursor `after` (None: from the start)."""
        async with aclosing(_read_ahead(self.batches(target, after))) as batches:
            async for batch in batches:
                for candidate in batch.candidates:
                    yield candidate

    def batches(self, target: Target, after: Cursor) -> AsyncIterator[Batch]:
        return self._listed(target, after) if target.is_list else self._slots(target, after)

    async def owners(self, target: Target, people: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Person id → profile, of those who are in an audience that is no list."""
        if target.segment is None:
            return await self.people.profiles(target.app, people)
        where = to_filter(target.segment, target.now)
        found = await self.segments.among(target.app, list(dict.fromkeys(people)), where)
        return {profile["_id"]: profile for profile in found}

    async def _slots(self, target: Target, after: Cursor) -> AsyncIterator[Batch]:
        slot, last = (0, "") if after is None else (after[0], after[1])
        width = FIRST_WIDTH if target.segment is None else await self._width(target.app)
        while slot < SLOTS:
            found = await self._range(target, slot, slot + width - 1)
            behind = [p for p in found if (p["slot"], p["_id"]) > (slot, last)]
            slot, last = slot + width, ""
            share = min(slot / SLOTS, 1.0)
            yield Batch([Candidate([p["slot"], p["_id"]], p) for p in behind], share)
            if target.segment is None and len(found) < PEOPLE_A_READ // 2:
                width = min(width * 2, SLOTS)
            elif len(found) > PEOPLE_A_READ * 2:
                width = max(width // 2, 1)

    async def _width(self, app: str) -> int:
        """Of ranges that hold so many people, selected or not: slots are a hash, so all are alike.

        Whom a filter selects says nothing about how much the server reads to find them.
        """
        people = await self.segments.count(app, (0, FIRST_WIDTH - 1))
        return max(1, min(SLOTS, PEOPLE_A_READ * FIRST_WIDTH // max(people, 1)))

    async def _range(self, target: Target, first: int, last: int) -> list[dict[str, Any]]:
        if target.segment is None:
            return await self.people.in_slots(target.app, first, last)
        where = to_filter(target.segment, target.now)
        return await self.segments.in_slots(target.app, (first, last), where)

    async def _listed(self, target: Target, after: Cursor) -> AsyncIterator[Batch]:
        """The first of equal names wins, also across parts: so all are read again on resuming."""
        seen, start = SeenTexts(), tuple(after or (0, 0))
        total = len(target.parts) or 1
        for part in range(total):
            names = await self._names(target, part)
            fresh = [
                (index, name)
                for index, name in enumerate(names)
                if seen.add("\x1f".join(name.address)) and (part, index) >= start
            ]
            for batch in _in_chunks(fresh, NAMES_A_READ):
                share = (part + (batch[-1][0] + 1) / len(names)) / total
                yield Batch(await self.resolve(target.app, part, batch), share)
        yield Batch([], 1.0)

    async def _names(self, target: Target, part: int) -> Sequence[Recipient]:
        if target.names is not None:
            return target.names
        return [
            Recipient.model_validate(r) for r in await self.parts.recipients(target.parts[part])
        ]

    async def resolve(
        self, app: str, part: int, batch: Sequence[tuple[int, Recipient]]
    ) -> list[Candidate]:
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for kind, look_up in (
            ("login", self.people.by_logins),
            ("visitor", self.people.by_visitors),
            ("player", self.people.by_players),
        ):
            names = [name.address[1] for _, name in batch if name.address[0] == kind]
            if names:
                found |= {(kind, name): p for name, p in (await look_up(app, names)).items()}
        return [
            Candidate([part, index + 1], found.get(name.address), name.variables, name.player)
            for index, name in batch
        ]


async def _read_ahead(batches: AsyncIterator[Batch]) -> AsyncGenerator[Batch, None]:
    """The next one is read while this one is worked on: the database and we have cores of our own."""
    coming = asyncio.ensure_future(anext(batches, None))
    try:
        while (batch := await coming) is not None:
            coming = asyncio.ensure_future(anext(batches, None))
            yield batch
    finally:  # also where whoever works on them fails, or has enough
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


def _in_chunks(
    names: Sequence[tuple[int, Recipient]], size: int
) -> Iterator[Sequence[tuple[int, Recipient]]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]
