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
from sender_service.scenarios.app_turns import AppTurns
from sender_service.scenarios.build_rules import build_rules_loader
from sender_service.scenarios.knowledge import Knowledge
from sender_service.scenarios.rules import RulesLoader
from sender_service.store.firings import FiringStore
from sender_service.store.scenario_codec import encode_segment
from sender_service.store.zones import ZoneReader
from shared import metrics
from shared.clock import Clock, Monotonic
from shared.health import Component
from shared.models.quiet_hours import zone_for

log = logging.getLogger("carillon.scenarios")

ZONES_KEPT_SECONDS = 3_600.0
FIRING_LIFE = timedelta(hours=24)  # so that the morning comes within it
KEPT = timedelta(days=3)  # longer than any occurrence may be late


@dataclass(slots=True)
class Occurrences:
    """Maker of the clock's firings in this process. `retention`: of firings, as of sends."""

    turns: AppTurns
    rules: RulesLoader
    zones: ZoneReader
    firings: FiringStore
    knowledge: Knowledge
    clock: Clock
    monotonic: Monotonic
    retention: timedelta
    _made: dict[str, datetime] = field(default_factory=dict, init=False)
    _zones: dict[str, tuple[float, set[str]]] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, context: SenderContext, knowledge: Knowledge) -> Occurrences:
        stores, days = context.stores, context.settings.plan.retention_days
        return cls(
            AppTurns(context.apps, context.monotonic),
            build_rules_loader(context),
            ZoneReader(context.database),
            stores.firings,
            knowledge,
            context.clock,
            context.monotonic,
            timedelta(days=days),
        )

    async def run(self, stop: asyncio.Event, component: Component) -> None:
        await self.turns.run(self.look, stop, component)

    async def look(self, component: Component) -> bool:
        """Make the firings that are due in each app. Raises Unavailable."""
        await self.turns.serve(self._look_at, component)
        long_ago = self.clock() - KEPT
        self._made = {id: due for id, due in self._made.items() if due > long_ago}
        return False

    async def _look_at(self, app: str) -> bool:
        rules = await self.rules.load(app)
        if rules is None:
            return False
        now = self.clock()
        is_old = await self.knowledge.why_old(now) is not None
        for own in rules.present.values():
            # `newIn` needs the catalogue: it is fired by what the catalogue finds.
            if not own.enabled or not isinstance(own.entry, ClockRule) or _is_new_in(own):
                continue
            rests = is_old and _rests(own, rules)
            for one in await self._find_due(own, rules, now):
                if rests:
                    self.knowledge.note_rest()
                else:
                    await self._make(one, own, now)
        return False

    async def _find_due(self, own: Scenario, rules: AppRules, now: datetime) -> list[Occurrence]:
        """Return the occurrences that are due and that this process hasn't made."""
        zones = await self._zones_of(own, rules)
        found = find_occurrences(own, zones, now - own.max_late, now)
        return [
            one
            for one in found
            if _counts(one, own) and occurrence_id(own.app, own.id, one.name) not in self._made
        ]

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
