"""Loop of the clock: each occurrence of a scenario's clock makes one firing, whichever replica is first.

The firing's id follows from the occurrence's name, so others find it there. The waker hands it over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sender_service.context import SenderContext
from sender_service.models.decide.app_rules import AppRules
from sender_service.models.scenario.entry_rules import ClockRule, OnDaily, OnNewIn
from sender_service.models.scenario.firing import Firing, Occurrence, occurrence_id
from sender_service.models.scenario.occurrence import find_occurrences
from sender_service.models.scenario.scenario import Scenario
from sender_service.scenarios.knowledge import Knowledge
from sender_service.scenarios.rules import RulesLoader
from sender_service.store.firings import FiringStore
from sender_service.store.scenario_codec import encode_segment
from sender_service.store.zones import ZoneReader
from shared import metrics
from shared.apps import AppRegistry
from shared.clock import Clock, Monotonic
from shared.errors import Unavailable
from shared.health import Component
from shared.loops import sleep_or_stop
from shared.models.quiet_hours import zone_for
from shared.mongo.errors import blame_database

log = logging.getLogger("carillon.scenarios")

CLOCK_SECONDS = 5.0  # between two looks at the clock
FAULTY_APP_SECONDS = 30.0  # an app whose look failed is left alone
ZONES_KEPT_SECONDS = 3_600.0
FIRING_LIFE = timedelta(hours=24)  # so that the morning comes within it
KEPT = timedelta(days=3)  # longer than any occurrence may be late


@dataclass(slots=True)
class Occurrences:
    """Maker of the clock's firings in this process. `retention`: of firings, as of sends."""

    apps: AppRegistry
    rules: RulesLoader
    zones: ZoneReader
    firings: FiringStore
    knowledge: Knowledge
    clock: Clock
    monotonic: Monotonic
    retention: timedelta
    _made: dict[str, datetime] = field(default_factory=dict, init=False)
    _zones: dict[str, tuple[float, set[str]]] = field(default_factory=dict, init=False)
    _failed_until: dict[str, float] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, context: SenderContext, knowledge: Knowledge) -> Occurrences:
        stores, days = context.stores, context.settings.plan.retention_days
        return cls(
            context.apps,
            RulesLoader(stores.scenarios, stores.campaigns, context.apps, context.monotonic),
            ZoneReader(context.database),
            stores.firings,
            knowledge,
            context.clock,
            context.monotonic,
            timedelta(days=days),
        )

    async def run(self, stop: asyncio.Event, component: Component) -> None:
        while not stop.is_set():
            try:
                with blame_database():
                    await self.look(component)
                component.beat()
            except Unavailable as exc:
                component.wait_for(exc)
            await sleep_or_stop(stop, CLOCK_SECONDS)

    async def look(self, component: Component) -> None:
        """Make the firings that are due in each app. Raises Unavailable."""
        for app in list(self.apps.apps):
            if not app.is_sending or self._failed_until.get(app.id, 0.0) > self.monotonic():
                continue
            try:
                await self._look_at(app.id)
            except Unavailable:
                raise
            except Exception as exc:  # a bug, or a document changed by hand
                log.error("look at the clock failed", exc_info=exc, extra={"app": app.id})
                self._failed_until[app.id] = self.monotonic() + FAULTY_APP_SECONDS
            component.beat()
        long_ago = self.clock() - KEPT
        self._made = {id: due for id, due in self._made.items() if due > long_ago}

    async def _look_at(self, app: str) -> None:
        rules = await self.rules.load(app)
        if rules is None:
            return
        now = self.clock()
        is_old = await self.knowledge.why_old(now) is not None
        for own in rules.present.values():
            # `newIn` needs the catalogue: it is fired by what the catalogue finds.
            if not own.enabled or not isinstance(own.entry, ClockRule) or _is_new_in(own):
                continue
            if is_old and _rests(own, rules):
                continue
            zones = await self._zones_of(own, rules)
            for one in find_occurrences(own, zones, now - own.max_late, now):
                if _counts(one, own):
                    await self._make(one, own, now)

    async def _zones_of(self, own: Scenario, rules: AppRules) -> Collection[str]:
        """Return the zones in which the scenario's time of day comes."""
        of_app = zone_for(None, rules.zone)
        if not isinstance(own.entry, OnDaily) or own.entry.zone == "app":
            return {of_app}
        read_at, found = self._zones.get(rules.app, (0.0, set[str]()))
        if not found or self.monotonic() - read_at > ZONES_KEPT_SECONDS:
            read_at = self.monotonic()
            found = await self.zones.of_app(rules.app) | {of_app}
            self._zones[rules.app] = read_at, found
        return found | {of_app}

    async def _make(self, one: Occurrence, own: Scenario, now: datetime) -> None:
        """Insert the occurrence's firing, once."""
        id = occurrence_id(own.app, own.id, one.name)
        if id in self._made:
            return
        step, expires = own.steps[0], now + FIRING_LIFE
        firing = Firing(
            id=id,
            app=own.app,
            scenario=own.id,
            version=own.version,
            step=step.id,
            campaign=step.campaign,
            made_at=now,
            due_at=one.due,
            expires_at=expires,
            expire_at=expires + self.retention,
            segment=None if own.condition is None else encode_segment(own.condition),
            occurrence=one,
        )
        if await self.firings.insert(firing):
            metrics.SCENARIO_OCCURRENCES.labels(own.app).inc()
            log.info("firing of the clock", extra={"firing": id, "app": own.app})
        self._made[id] = one.due


def _is_new_in(own: Scenario) -> bool:
    return isinstance(own.entry, OnNewIn)


def _counts(one: Occurrence, own: Scenario) -> bool:
    """Return whether neither a switch-off nor an edit stands between the occurrence and now."""
    if own.was_off_at(one.at) or own.was_off_at(one.due):
        return False
    return own.timed_since is None or one.at >= own.timed_since


def _rests(own: Scenario, rules: AppRules) -> bool:
    """Return whether the scenario rests on old knowledge: by `if` too, which alone says who enters."""
    of_version = rules.of_version(own.id, own.version)
    return own.condition is not None or (of_version is not None and of_version.needs_knowledge)
