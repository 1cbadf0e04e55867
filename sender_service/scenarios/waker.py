"""Waker: takes apps by lease, one after another, and wakes what is due in each.

Whoever takes an app over finishes its firings first. Then those are closed whose sends are over, so
that a push that came to nothing counts no more when runs are looked at.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field

from sender_service.context import SenderContext
from sender_service.scenarios.closing import FiringCloser
from sender_service.scenarios.firing import Firer
from sender_service.scenarios.knowledge import Knowledge
from sender_service.scenarios.lease import LeaseLost, Leases
from sender_service.scenarios.waking import Waking
from shared import metrics
from shared.apps import AppRegistry
from shared.clock import Monotonic
from shared.errors import StoreUnavailable, Unavailable
from shared.health import Component
from shared.loops import sleep_or_stop
from shared.mongo.errors import blame_database

log = logging.getLogger("carillon.scenarios")

LOOK_SECONDS = 5.0  # between two looks at what is due
FAILED_APP_SECONDS = 30.0  # an app whose look failed is left alone


@dataclass(slots=True)
class Waker:
    """Waker of this process."""

    apps: AppRegistry
    leases: Leases
    firer: Firer
    closer: FiringCloser
    waking: Waking
    monotonic: Monotonic
    _failed_until: dict[str, float] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, context: SenderContext, knowledge: Knowledge) -> Waker:
        firer = Firer.of(context)
        return cls(
            context.apps,
            Leases(context.stores.wakers, context.name, context.monotonic),
            firer,
            FiringCloser.of(context.stores, context.clock),
            Waking.of(context, firer, knowledge),
            context.monotonic,
        )

    async def run(self, stop: asyncio.Event, component: Component) -> None:
        try:
            await self._run(stop, component)
        finally:
            with suppress(StoreUnavailable), blame_database():
                await self.leases.give_up()

    async def _run(self, stop: asyncio.Event, component: Component) -> None:
        while not stop.is_set():
            try:
                with blame_database():
                    more = await self.look(component)
                component.beat()
            except Unavailable as exc:
                more = False
                component.wait_for(exc)
            if not more:
                await sleep_or_stop(stop, LOOK_SECONDS)

    async def look(self, component: Component) -> bool:
        """Serve each app once; return whether one has more due. Raises Unavailable."""
        more = False
        for app in list(self.apps.apps):
            if app.is_sending and self._failed_until.get(app.id, 0.0) <= self.monotonic():
                more |= await self._serve_safely(app.id)
                component.beat()
        return more

    async def _serve_safely(self, app: str) -> bool:
        """Serve the app; log a failure and leave the app alone for a while. Raises Unavailable."""
        try:
            return await self._serve(app)
        except LeaseLost:
            log.warning("lease of an app lost", extra={"app": app})
        except Unavailable:
            raise
        except Exception as exc:  # a bug, or a document changed by hand
            log.error("waking failed", exc_info=exc, extra={"app": app})
            self._failed_until[app] = self.monotonic() + FAILED_APP_SECONDS
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
        await self.closer.close(lease, [one for one in under_way if one.state == "handed"])
        return await self.waking.wake(lease)
