"""Waker: takes apps by lease, one after another, and wakes what is due in each.

Whoever takes an app over finishes its firings first. Then those are closed whose sends are over, so
that a push that came to nothing counts no more when runs are looked at.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from sender_service.context import SenderContext
from sender_service.scenarios.app_turns import AppTurns
from sender_service.scenarios.closing import FiringCloser
from sender_service.scenarios.firing import Firer
from sender_service.scenarios.knowledge import Knowledge
from sender_service.scenarios.lease import LeaseLost, Leases
from sender_service.scenarios.waking import Waking
from shared import metrics
from shared.errors import StoreUnavailable
from shared.health import Component
from shared.mongo.errors import blame_database

log = logging.getLogger("carillon.scenarios")


@dataclass(slots=True)
class Waker:
    """Waker of this process."""

    turns: AppTurns
    leases: Leases
    firer: Firer
    closer: FiringCloser
    waking: Waking

    @classmethod
    def of(cls, context: SenderContext, knowledge: Knowledge) -> Waker:
        firer = Firer.of(context)
        return cls(
            AppTurns(context.apps, context.monotonic),
            Leases(context.stores.wakers, context.name, context.monotonic),
            firer,
            FiringCloser.of(context.stores, context.clock, context.monotonic),
            Waking.of(context, firer, knowledge),
        )

    async def run(self, stop: asyncio.Event, component: Component) -> None:
        try:
            await self.turns.run(self.look, stop, component)
        finally:
            with suppress(StoreUnavailable), blame_database():
                await self.leases.give_up()

    async def look(self, component: Component) -> bool:
        """Serve each app once; return whether one has more due. Raises Unavailable."""
        return await self.turns.serve(self._serve_if_leased, component)

    async def _serve_if_leased(self, app: str) -> bool:
        try:
            return await self._serve(app)
        except LeaseLost:
            log.warning("lease of an app lost", extra={"app": app})
            return False

    async def _serve(self, app: str) -> bool:
        """Return whether the app may have more due. Raises LeaseLost, Unavailable."""
        under_way = await self.firer.firings.under_way(app)
        metrics.FIRINGS_OPEN.labels(app).set(len(under_way))
        # An app without work costs two reads: no lease is taken nor renewed for it.
        if not await self.waking.find_due(app) and not under_way:
            return False
        lease = await self.leases.take(app)
        if lease is None:
            self.waking.forget(app)
            return False
        # Also this process leaves firings, where a store or the log was away.
        if lease.is_new or any(head.state != "handed" for head in under_way):
            for firing in await self.firer.firings.unfinished(app):
                await self.firer.finish(lease, firing)
        handed = [one for one in under_way if one.state == "handed"]
        has_open = await self.closer.close(lease, handed)
        return await self.waking.wake(lease) or has_open
