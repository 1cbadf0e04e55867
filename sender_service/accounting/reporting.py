"""Compute reports from pages, and roll them up into the campaign's before the pages expire."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from sender_service.models.report import SendReport, add_cells, blank_report
from sender_service.models.send import SendRow
from sender_service.models.sums import Sums
from sender_service.pages.report_cells import cells_of
from sender_service.store.campaigns import campaign_key
from sender_service.store.interactions import InteractionStore
from sender_service.store.pages import PageStore
from sender_service.store.people import PeopleReader
from sender_service.store.reports import ReportStore
from sender_service.store.sends import SendStore
from sender_service.store.stores import Stores
from shared.clock import Clock
from shared.health import Component
from shared.loops import run_periodically
from shared.mongo.errors import blame_database

log = logging.getLogger("carillon.reports")

ROLL_UP_AHEAD = timedelta(hours=1)  # of expiry: late enough for the last webhooks
SEALED_DELAY = timedelta(minutes=5)  # longer than a batch of webhooks takes, and clocks differ
PASS_SECONDS = 10.0
SENDS_A_PASS = 200


def _nothing() -> None:
    """Ignore progress, where no component reports it."""


@dataclass(frozen=True)
class Reporting:
    """Computation and roll-up of reports. Methods raise StoreUnavailable when MongoDB is away."""

    sends: SendStore
    pages: PageStore
    people: PeopleReader
    reports: ReportStore
    interactions: InteractionStore
    clock: Clock
    alive: Callable[[], None] = _nothing  # called with each page: a large send takes minutes

    @classmethod
    def of(cls, stores: Stores, clock: Clock) -> Reporting:
        return cls(
            stores.sends, stores.pages, stores.people, stores.reports, stores.interactions, clock
        )

    async def run(self, stop: asyncio.Event, component: Component) -> None:
        work = replace(self, alive=component.beat)
        await run_periodically(work.pass_once, PASS_SECONDS, stop, component)

    async def pass_once(self) -> None:
        """Compute what is requested, and roll up what is due."""
        with blame_database():
            await self.compute_requested()
            await self.roll_up_due()

    async def compute(self, send: SendRow) -> SendReport:
        """Compute and store the report, from the send's pages, interactions and the ledger."""
        counts, totals = await self.interactions.counts(send.id), send.totals
        report = SendReport(Sums() if totals is None else totals, counts, [])
        async for page in self.pages.of_send(send.id):
            if totals is None:
                report.sums.add(page.sums)
            interactions = await self.interactions.of_page(page.id)
            players = sorted(page.players)
            ledger = await self.people.ledger(send.app, players)
            add_cells(report.cells, cells_of(page, interactions, ledger))
            self.alive()
        await self.reports.keep(send, report)
        return report

    async def compute_requested(self) -> None:
        """Compute requested reports; drop requests for missing and rolled-up sends."""
        for name in await self.reports.requested_reports(SENDS_A_PASS):
            send = await self.sends.without_list(name)
            if send is None or send.rolled_up:
                await self.reports.forget(name)
            else:
                await self.compute(send)

    async def roll_up_due(self) -> int:
        """Roll up sends that expire soon; return their number. Each is sealed SEALED_DELAY before."""
        # Until SEALED_DELAY is over, batches that read the send unsealed write their interactions.
        now, rolled_up = self.clock(), 0
        for send in await self.sends.due_for_roll_up(
            now + ROLL_UP_AHEAD, now - SEALED_DELAY, SENDS_A_PASS
        ):
            if send.sealed:
                await self.roll_up(send)
                rolled_up += 1
            else:
                await self.sends.seal(send.id, now)
        return rolled_up

    async def roll_up(self, send: SendRow) -> None:
        """Roll up the send, exactly once, however often and by whichever replica this is called."""
        # It is in `pendingSends` from the write that adds it until it is marked: it isn't added again.
        key = campaign_key(send.app, send.campaign)
        counts = send.campaign and not send.test
        await self.sends.seal(send.id, self.clock())
        if counts and not await self._is_in(key, send):
            await self._add(key, send)
        await self.sends.mark_rolled_up(send.id, send.expire_at)
        await self.reports.forget_pending(key, send.id)
        log.info("send rolled up", extra={"send": send.id})

    async def _is_in(self, key: str, send: SendRow) -> bool:
        report = await self.reports.report(key)
        return report is not None and send.id in report.pending_sends

    async def _add(self, key: str, send: SendRow) -> None:
        computed = await self._last(send)
        while True:
            report = await self.reports.report(key)
            report = report or blank_report(key, send.app, send.campaign)
            # Read after the report: another replica marks it before it leaves `pendingSends`.
            if send.id in report.pending_sends or await self.sends.is_rolled_up(send.id):
                return
            report.add(computed)
            report.pending_sends.append(send.id)
            if await self.reports.write(report):
                return

    async def _last(self, send: SendRow) -> SendReport:
        """Return the current report; the stored one when the pages have expired before a roll-up."""
        if (await self.pages.index(send.id)) or not send.pages:
            return await self.compute(send)
        kept = (await self.reports.of_sends(send.app, send.campaign)).get(send.id)
        return kept or await self.compute(send)
