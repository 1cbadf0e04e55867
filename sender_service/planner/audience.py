"""Stream an audience in an order that can be resumed: one person at a time, each with a cursor."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from sender_service.planner.recipients import ListReader
from sender_service.planner.segment_filter import to_filter
from sender_service.planner.target import Batch, Candidate, Cursor, Target
from sender_service.store.parts import PartStore
from sender_service.store.people import PeopleReader
from shared.documents.profile import Profile
from shared.ids import SLOTS

PEOPLE_A_READ = 500  # in a range of slots: enough for a round trip, little memory
FIRST_WIDTH = 16
RANGES_AT_ONCE = 2


@dataclass(frozen=True)
class AudienceReader:
    """Reader of a target's people. Methods raise StoreUnavailable when MongoDB is away."""

    people: PeopleReader
    parts: PartStore

    def batches(self, target: Target, after: Cursor) -> AsyncGenerator[Batch, None]:
        """Yield the people of the audience after the cursor `after` (None: from the start)."""
        if target.is_list:
            return ListReader(self.people, self.parts).batches(target, after)
        return self._slots(target, after)

    async def owners(self, target: Target, people: Sequence[str]) -> dict[str, Profile]:
        """Return the profiles by person id, of people in the audience. The target is no list."""
        if target.segment is None:
            return await self.people.profiles(target.app, people)
        where = to_filter(target.segment, target.now)
        found = await self.people.selected_among(target.app, list(dict.fromkeys(people)), where)
        return {profile["_id"]: profile for profile in found}

    async def _slots(self, target: Target, after: Cursor) -> AsyncGenerator[Batch, None]:
        """Yield the people of all slots, one batch for each range of slots."""
        # Two ranges are requested at a time: the server reads one while we decode the other.
        begin = (0, "") if after is None else (after[0], after[1])
        slot, width = begin[0], FIRST_WIDTH
        if target.segment is not None:
            width = await self._width(target.app)
        coming: deque[tuple[int, asyncio.Task[list[Profile]]]] = deque()
        try:
            while slot < SLOTS or coming:
                while slot < SLOTS and len(coming) < RANGES_AT_ONCE:
                    read = asyncio.ensure_future(self._range(target, slot, slot + width - 1))
                    slot += width
                    coming.append((slot, read))
                end, read = coming.popleft()
                found = await read
                behind = [p for p in found if (p["slot"], p["_id"]) > begin]
                people = [Candidate([p["slot"], p["_id"]], p) for p in behind]
                yield Batch(people, min(end / SLOTS, 1.0))
                if target.segment is None and len(found) < PEOPLE_A_READ // 2:
                    width = min(width * 2, SLOTS)
                elif len(found) > PEOPLE_A_READ * 2:
                    width = max(width // 2, 1)
        finally:  # also when the consumer fails or stops early
            for _, read in coming:
                read.cancel()
            await asyncio.gather(*(read for _, read in coming), return_exceptions=True)

    async def _width(self, app: str) -> int:
        """Return how many slots hold PEOPLE_A_READ people, selected or not. Slots are a hash."""
        # The number that a filter selects doesn't tell how many the server reads to find them.
        people = await self.people.count(app, (0, FIRST_WIDTH - 1))
        return max(1, min(SLOTS, PEOPLE_A_READ * FIRST_WIDTH // max(people, 1)))

    async def _range(self, target: Target, first: int, last: int) -> list[Profile]:
        if target.segment is None:
            return await self.people.in_slots(target.app, (first, last))
        where = to_filter(target.segment, target.now)
        return await self.people.selected(target.app, (first, last), where)


async def read_ahead(batches: AsyncGenerator[Batch, None]) -> AsyncGenerator[Batch, None]:
    """Yield the batches; the next one is read while the consumer works on this one."""
    coming = asyncio.ensure_future(anext(batches, None))
    try:
        while (batch := await coming) is not None:
            coming = asyncio.ensure_future(anext(batches, None))
            await asyncio.sleep(0)  # start the read now: the consumer of this batch may never wait
            yield batch
    finally:  # also when the consumer fails or stops early
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await batches.aclose()
