"""Turn a send's audience into pages: stream it, resume after the last page, add latecomers."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from sender_service.models.send import PlanningChanges
from sender_service.pages.document import END, page_id
from sender_service.planner.audience import AudienceReader, read_ahead
from sender_service.planner.bad_share import BAD_SHARE, bad_share_message
from sender_service.planner.building import PageBuilder, SendPlan
from sender_service.planner.erasure_check import ErasureCheck
from sender_service.planner.moved_players import MovedPlayers
from sender_service.planner.page_looks import held_out
from sender_service.planner.planned_push import planned_push
from sender_service.planner.planning_look import PlanningLook
from sender_service.planner.rendering import SendTooDear
from sender_service.planner.target import Candidate, Cursor, PlayerSelection, Target
from sender_service.planner.text_index import TextHashSet
from sender_service.store.contacts import ContactStore
from sender_service.store.pages import PageStore
from sender_service.store.people import CHANGES_OVERLAP
from sender_service.yield_timer import YieldTimer
from shared import metrics
from shared.clock import Clock
from shared.errors import Rejected

log = logging.getLogger("carillon.planner")

BAD_CHECK_AFTER = 20  # people, all with bad variables: planning stops early
PLANNED_PAGES_A_READ = 20
MAX_BEGUN = 3  # times without a new page: the same crash would repeat


class LeaseLost(Exception):
    """Another planner has leased the send; it resumes where this one stopped."""


class KeepLease(Protocol):
    """Renews the lease and writes the given changes at once. Raises LeaseLost."""

    async def __call__(self, changes: PlanningChanges | None = None) -> None: ...


@dataclass(frozen=True)
class PagingStores:
    """Stores that planning of pages reads and writes."""

    pages: PageStore
    audience: AudienceReader
    contacts: ContactStore
    clock: Clock
    erasure: ErasureCheck


class Paging:
    """Planning of one send's pages. `keep` renews the lease and may raise LeaseLost.

    `look`: of a scenario's send.
    """

    def __init__(
        self,
        plan: SendPlan,
        target: Target,
        stores: PagingStores,
        keep: KeepLease,
        look: PlanningLook | None = None,
    ) -> None:
        self._plan = plan
        self._send = plan.send.id
        self._target = target
        self._stores = stores
        self._keep = keep
        self._look = look
        self._seen = TextHashSet()  # players; only of lists, which are bounded
        self._erasures = 0
        self._turns = YieldTimer()
        self._people = 0
        self._bad = 0
        self._fault = ""  # the first
        self._refused: Counter[str] = Counter()  # people whom the clock didn't enter, of all pages

    async def run(self) -> int:
        """Plan all pages; return their number. Raises Rejected when too many texts don't render."""
        try:
            return await self._run()
        except SendTooDear:
            each = self._plan.renderer.allowance.each
            raise Rejected(
                f"the texts take too much work: more than {each} steps of rendering a push",
                code="texts_too_dear",
            ) from None

    async def _run(self) -> int:
        self._erasures = await self._stores.erasure.count()
        last = await self._stores.pages.last(self._send)
        n, cursor = (0, None) if last is None else (last[0] + 1, last[1])
        if last is not None:  # its planner may have stopped before the check for erasures
            await self._stores.erasure.blank_erased(page_id(self._send, last[0]))
        await self._note_begin(n)
        await self._recount_pages(range(n))
        builder = self._builder(n)
        audience = self._stores.audience.batches(self._target, cursor)
        if self._look is not None:
            audience = self._look.batches(audience)
        async with aclosing(read_ahead(audience)) as batches:
            async for batch in batches:
                await self._keep()
                for candidate in batch.candidates:
                    if not builder.add(candidate):
                        builder = await self._finish_page(builder, builder.cursor)
                        builder.add(candidate)
                    await self._turns.yield_if_due()
                    await self._keep()
        builder = await self._finish_page(builder, builder.cursor if self._target.is_list else END)
        if not self._target.is_list:
            builder = await self._add_latecomers(builder)
        self._check_bad_share(final=True)
        if self._look is not None:
            await self._look.note_refused(self._refused + builder.looks.refused)
        return builder.n

    async def _note_begin(self, pages: int) -> None:
        """Note that planning begins behind so many pages.

        Raises Rejected when it began too often without a new page.
        """
        # Taking the lease counts up `begun`, so this writes only behind another planner's pages.
        send = self._plan.send
        if pages > send.pages_at_begin:
            await self._keep({"begun": 1, "pages_at_begin": pages})
        elif send.begun > MAX_BEGUN:
            raise Rejected(
                f"planning was begun {MAX_BEGUN} times and never came to the end of a page",
                code="planning_stalled",
            )

    def _builder(self, n: int) -> PageBuilder:
        return PageBuilder(self._plan, n, self._stores.clock(), self._seen)

    async def _finish_page(self, builder: PageBuilder, cursor: Cursor) -> PageBuilder:
        """Insert the page unless it is empty; return a builder for the next one."""
        if not builder.members and not builder.no_player:
            return builder
        self._people += len({member[1] for member in builder.members})
        self._bad += builder.bad
        self._fault = self._fault or next(iter(builder.faults.values()), "")
        self._check_bad_share(final=False)
        self._refused += builder.looks.refused
        await self._reserve_caps(builder)
        await self._begin_runs(builder)
        page = builder.page(cursor)
        if not await self._stores.pages.insert(page, builder.pushes):
            raise LeaseLost  # another planner inserted this page: its page stays
        if await self._stores.erasure.count() != self._erasures:
            await self._stores.erasure.blank_erased(page.id)
        metrics.PAGES_PLANNED.labels(page.app).inc()
        if self._target.is_list:
            self._seen.update(member[0] for member in builder.members)
        return self._builder(builder.n + 1)

    async def _reserve_caps(self, builder: PageBuilder) -> None:
        """Reserve the people's caps; suppress those who reached one."""
        # Before the page is inserted: after a crash in between it is repeated, and changes nothing.
        caps, send = self._plan.caps, self._plan.send
        people = builder.reached
        if not caps or not people:
            return
        now = self._stores.clock()
        push = planned_push(self._plan, builder.members, builder.chunks, now)
        refused = await self._stores.contacts.reserve(send.app, people, push)
        builder.suppress(refused, "capped")
        builder.capped = True

    async def _begin_runs(self, builder: PageBuilder) -> None:
        """Begin the runs of who is pushed, or held out from it, before the page, as caps are reserved."""
        if self._look is None or not builder.looks.runs:
            return
        people = {*builder.reached, *held_out(builder.members, builder.outcomes)}
        lost = await self._look.begin(builder.looks.runs_of(sorted(people)))
        builder.suppress(lost, "not_applicable", "exited")

    def _check_bad_share(self, *, final: bool) -> None:
        """Raise Rejected when more than BAD_SHARE of the people's texts don't render."""
        # Before the end only when none renders, and never for a list: it may name the bad ones first.
        all_bad = not self._target.is_list and self._bad >= self._people >= BAD_CHECK_AFTER
        if (final or all_bad) and self._bad > self._people * BAD_SHARE:
            raise Rejected(
                bad_share_message(self._bad, self._people, self._fault), code="bad_variables"
            )

    async def _recount_pages(self, numbers: range) -> None:
        """Count the people, bad texts and players of pages that were planned before a crash."""
        # Bad texts count whichever planner found them. Few pages are read at a time.
        for start in range(0, len(numbers), PLANNED_PAGES_A_READ):
            ids = [page_id(self._send, n) for n in numbers[start : start + PLANNED_PAGES_A_READ]]
            for page in (await self._stores.pages.get_many(ids)).values():
                self._people += len(page.people)
                self._refused.update(page.refused)
                self._bad += len(page.people_failed("bad_variables"))
                self._fault = self._fault or page.first_fault
                if self._target.is_list:
                    self._seen.update(page.players)

    async def _add_latecomers(self, builder: PageBuilder) -> PageBuilder:
        """Correct players that changed owners while the audience was read.

        A missed player is added; a player in two pages stays with its present owner.
        """
        # A page covers a range of people, so a player can only be in pages of its owners.
        send = self._plan.send
        index = await self._stores.pages.index(self._send)
        in_pages = MovedPlayers(self._stores.pages, index)
        moved = await self._stores.audience.people.moved_since(
            send.app, send.due_at - CHANGES_OVERLAP
        )
        owners = await self._stores.audience.owners(
            self._target, [player.owner for player in moved]
        )
        for player in moved:
            pages = await in_pages.pages_with(player)
            if len(pages) > 1:
                await in_pages.keep_in_one_page(player, pages)
            owner = owners.get(player.owner)
            if not pages and owner is not None:
                candidate = Candidate(END, owner, (PlayerSelection(player.id),))
                builder = await self._add_latecomer(builder, candidate)
            await self._turns.yield_if_due()
            await self._keep()
        return await self._finish_page(builder, END)

    async def _add_latecomer(self, builder: PageBuilder, candidate: Candidate) -> PageBuilder:
        looked = [candidate] if self._look is None else await self._look.decide([candidate])
        for one in looked:
            if not builder.add(one):
                builder = await self._finish_page(builder, END)
                builder.add(one)
        return builder
