"""A send's audience becomes pages: streamed, resumed after the last one, completed by latecomers."""

from __future__ import annotations

import logging
from bisect import bisect_left
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from sender_service.pages.page import Page, PageEdit, page_id
from sender_service.planner.audience import AudienceReader, read_ahead
from sender_service.planner.building import PageBuilder, PagePlan
from sender_service.planner.forgetting import Forgetting
from sender_service.planner.rendering import SendTooDear
from sender_service.planner.target import Candidate, Cursor, PlayerSelection, Target
from sender_service.planner.text_index import TextHashSet
from sender_service.store.contacts import ContactStore
from sender_service.store.pages import PageStore
from sender_service.yield_timer import YieldTimer
from shared import metrics
from shared.clock import Clock
from shared.errors import Rejected
from shared.ids import SLOTS, slot_of

log = logging.getLogger("carillon.planner")

BAD_SHARE = 0.2  # more recipients with bad variables than this refuse the send
BAD_CHECK_AFTER = 20  # who all have bad ones: planning goes no further
OVERLAP = timedelta(minutes=2)  # ledger changes are read from so long before the planning
END: Cursor = [SLOTS, ""]
PAGES_A_READ = 20
MAX_BEGUN = 3  # without a page: whatever ended the process would do so again


class LeaseLost(Exception):
    """Another planner has the send now; it goes on where this one stopped."""


class Keep(Protocol):
    async def __call__(self, **changes: object) -> None: ...


@dataclass(frozen=True)
class PagingStores:
    """Where pages come from and go to."""

    pages: PageStore
    audience: AudienceReader
    contacts: ContactStore
    clock: Clock
    forgetting: Forgetting


class Paging:
    """Plans the pages of one send. `keep` renews the lease, and writes at once what it is given; it
    raises LeaseLost."""

    def __init__(self, plan: PagePlan, target: Target, shelf: PagingStores, keep: Keep) -> None:
        self._plan = plan
        self._send = plan.send["_id"]
        self._target = target
        self._shelf = shelf
        self._keep = keep
        self._seen = TextHashSet()  # as builders ask for it; only of lists, which are bounded
        self._erasures = 0
        self._turns = YieldTimer()
        self._people = 0
        self._bad = 0
        self._fault = ""  # the first

    async def run(self) -> int:
        """Return how many pages the send has. Raises Rejected when too many texts don't render."""
        try:
            return await self._run()
        except SendTooDear:
            each = self._plan.renderer.allowance.each
            raise Rejected(
                f"the texts take too much work: more than {each} steps of rendering a push",
                code="texts_too_dear",
            ) from None

    async def _run(self) -> int:
        self._erasures = await self._shelf.forgetting.count()
        last = await self._shelf.pages.last(self._send)
        n, cursor = (0, None) if last is None else (last[0] + 1, last[1])
        if last is not None:  # perhaps its planner didn't come to look at it
            await self._shelf.forgetting.look(page_id(self._send, last[0]))
        await self._note_begin(n)
        await self._see_again(range(n))
        builder = self._builder(n)
        audience = self._shelf.audience.batches(self._target, cursor)
        async with aclosing(read_ahead(audience)) as batches:
            async for batch in batches:
                await self._keep()
                for candidate in batch.candidates:
                    if not builder.add(candidate):
                        builder = await self._turn(builder, builder.cursor)
                        builder.add(candidate)
                    await self._turns.yield_if_due()
                    await self._keep()
        builder = await self._turn(builder, builder.cursor if self._target.is_list else END)
        if not self._target.is_list:
            builder = await self._latecomers(builder)
        self._judge(final=True)
        return builder.n

    async def _note_begin(self, pages: int) -> None:
        """Raises Rejected where planning was begun too often without a page more than there were: taking
        the lease counts, so this is a write only where a planner goes on behind another's pages."""
        send = self._plan.send
        if pages > send.get("pagesAtBegin", 0):
            await self._keep(begun=1, pagesAtBegin=pages)
        elif send.get("begun", 0) > MAX_BEGUN:
            raise Rejected(
                f"planning was begun {MAX_BEGUN} times and never came to the end of a page",
                code="planning_stalled",
            )

    def _builder(self, n: int) -> PageBuilder:
        return PageBuilder(self._plan, n, self._shelf.clock(), self._seen)

    async def _turn(self, builder: PageBuilder, cursor: Cursor) -> PageBuilder:
        """Insert the page, if there is anything in it, and begin the next."""
        if not builder.members and not builder.no_player:
            return builder
        self._people += len({member[1] for member in builder.members})
        self._bad += builder.bad
        self._fault = self._fault or next(iter(builder.faults.values()), "")
        self._judge(final=False)
        await self._count_against_cap(builder)
        page = builder.page(cursor)
        if not await self._shelf.pages.insert(page, builder.bodies):
            raise LeaseLost  # somebody else planned this page: theirs stands
        if await self._shelf.forgetting.count() != self._erasures:
            await self._shelf.forgetting.look(page["_id"])
        metrics.PAGES_PLANNED.labels(page["app"]).inc()
        if self._target.is_list:
            self._seen.update(member[0] for member in builder.members)
        return self._builder(builder.n + 1)

    async def _count_against_cap(self, builder: PageBuilder) -> None:
        """Reserved before the page is inserted: a crash between repeats it, and changes nothing."""
        caps, send = self._plan.caps, self._plan.send
        people = builder.reached
        if not caps or not people:
            return
        refused = await self._shelf.contacts.reserve(
            send["app"], people, send["_id"], caps, self._shelf.clock()
        )
        builder.suppress(refused, "capped")
        builder.capped = True

    def _judge(self, *, final: bool) -> None:
        """Raises Rejected when more than a fifth of the texts don't render: of all, as the preview counts
        too. Before the end only where none does, and not of a list: it may name the bad ones first."""
        early = not self._target.is_list and self._bad >= self._people >= BAD_CHECK_AFTER
        if (final or early) and self._bad > self._people * BAD_SHARE:
            raise Rejected(bad_share(self._bad, self._people, self._fault), code="bad_variables")

    async def _see_again(self, numbers: range) -> None:
        """What was planned before a crash; few pages at a time. Too many bad texts are so also where
        some of them were met by another planner."""
        for start in range(0, len(numbers), PAGES_A_READ):
            ids = [page_id(self._send, n) for n in numbers[start : start + PAGES_A_READ]]
            for page in (await self._shelf.pages.get_many(ids)).values():
                self._people += len({member[1] for member in page["members"]})
                self._bad += len(_bad_people(page))
                self._fault = self._fault or next(iter(page.get("faults", {}).values()), "")
                if self._target.is_list:
                    self._seen.update(member[0] for member in page["members"])

    async def _latecomers(self, builder: PageBuilder) -> PageBuilder:
        """Players that changed hands while the audience was read: none is missed, none is in twice.

        A page holds a range of people, so a player can only be in those of its owners.
        """
        send = self._plan.send
        index = await self._shelf.pages.index(self._send)
        moved = await self._shelf.audience.people.moved_since(send["app"], send["dueAt"] - OVERLAP)
        owners = await self._shelf.audience.owners(self._target, [e["person"] for e in moved])
        for entry in moved:
            holding = await self._holding(entry, index)
            if len(holding) > 1:
                await self._keep_one(entry, holding)
            owner = owners.get(entry["person"])
            if not holding and owner is not None:
                candidate = Candidate(END, owner, (PlayerSelection(entry["_id"]),))
                if not builder.add(candidate):
                    builder = await self._turn(builder, END)
                    builder.add(candidate)
            await self._turns.yield_if_due()
            await self._keep()
        return await self._turn(builder, END)

    async def _holding(self, entry: dict[str, Any], index: list[tuple[Any, str]]) -> list[Page]:
        """The pages that the player is in."""
        people = {entry["person"], *(p["person"] for p in entry.get("previous", []))}
        cursors = [tuple(cursor) for cursor, _ in index]
        places = {bisect_left(cursors, (slot_of(person), person)) for person in people}
        # Latecomers' own pages stand behind the end; they are few.
        ids = {index[at][1] for at in places if at < len(index)}
        ids |= {page for cursor, page in index if list(cursor) == END}
        pages = await self._shelf.pages.get_many(sorted(ids))
        player = entry["_id"]
        return [p for p in pages.values() if any(m[0] == player for m in p["members"])]

    async def _keep_one(self, entry: dict[str, Any], holding: list[Page]) -> None:
        """In two pages, of two owners: the present one's stands."""
        for page in holding:
            while not await self._without(page, entry["_id"], entry["person"]):
                page = await self._shelf.pages.get(page["_id"]) or page

    async def _without(self, page: Page, player: str, owner: str) -> bool:
        """False where somebody else (who erases a person) wrote the page since it was read."""
        edit = PageEdit(page, 0)
        at = edit.index_of(player)
        if at is None or page["members"][at][1] == owner:
            return True
        edit.outcome(at, "suppressed", "moved")
        return await self._shelf.pages.update(page, edit.finish())


def bad_share(bad: int, people: int, fault: str) -> str:
    """Say how many texts don't render, and what is wrong with the first."""
    first = f"; the first: {fault}" if fault else ""
    return f"{bad} of {people} people's texts don't render{first}"


def _bad_people(page: Page) -> set[str]:
    """Whose text didn't render."""
    bad = [int(at) for at, (_, reason) in page["outcomes"].items() if reason == "bad_variables"]
    return {page["members"][index][1] for index in bad}
