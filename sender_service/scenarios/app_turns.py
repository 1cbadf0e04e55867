"""Turns of apps: a loop serves one after another, and one that fails stops no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from shared.apps import AppRegistry
from shared.clock import Monotonic
from shared.errors import Unavailable
from shared.health import Component
from shared.loops import sleep_or_stop
from shared.mongo.errors import blame_database

log = logging.getLogger("carillon.scenarios")

LOOK_EVERY_SECONDS = 5.0  # between two looks at what is due
FAILED_APP_SECONDS = 30.0  # an app whose turn failed is left alone


@dataclass(slots=True)
class AppTurns:
    """Turns of the apps that send. `serve` returns whether the app has more to do at once."""

    apps: AppRegistry
    monotonic: Monotonic
    _failed_until: dict[str, float] = field(default_factory=dict, init=False)

    async def run(
        self,
        look: Callable[[Component], Awaitable[bool]],
        stop: asyncio.Event,
        component: Component,
    ) -> None:
        """Look again and again until `stop`."""
        while not stop.is_set():
            try:
                with blame_database():
                    more = await look(component)
                component.beat()
            except Unavailable as exc:
                more = False
                component.wait_for(exc)
            if not more:
                await sleep_or_stop(stop, LOOK_EVERY_SECONDS)

    async def serve(self, serve: Callable[[str], Awaitable[bool]], component: Component) -> bool:
        """Serve each app once; return whether one has more to do. Raises Unavailable."""
        more = False
        for app in list(self.apps.apps):
            if app.is_sending and self._failed_until.get(app.id, 0.0) <= self.monotonic():
                more |= await self._serve_safely(app.id, serve)
                component.beat()
        return more

    async def _serve_safely(self, app: str, serve: Callable[[str], Awaitable[bool]]) -> bool:
        """Serve the app; log a failure and leave the app alone for a while. Raises Unavailable."""
        try:
            return await serve(app)
        except Unavailable:
            raise
        except Exception as exc:  # a bug, or a document changed by hand
            log.error("an app's turn failed", exc_info=exc, extra={"app": app})
            self._failed_until[app] = self.monotonic() + FAILED_APP_SECONDS
        return False
