"""Looks at people whose step was fired, at planning and again before the release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sender_service.context import SenderContext
from sender_service.models.decide.decision import Stage
from sender_service.models.decide.fired import EXITED, FiredPush, decide_fired
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import EMPTY_WORLD, World
from sender_service.models.scenario.push_look import PushLook
from sender_service.models.scenario.reference import ScenarioRef
from sender_service.models.scenario.run import ItemClaim
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.yield_timer import YieldTimer


@dataclass(frozen=True, slots=True)
class FiredSend:
    """Send of a firing; `id` is the firing's too."""

    id: str
    app: str
    scenario: ScenarioRef


class Knowledge(Protocol):
    """Says why what is known of people is too old, and an exit may be missing; None: it isn't."""

    async def why_old(self, now: datetime) -> str | None: ...


@dataclass(frozen=True, slots=True)
class LookReader:
    """Looks at people of a firing. Methods raise StoreUnavailable when MongoDB is away."""

    people: PersonLoader
    rules: RulesLoader
    world: World = EMPTY_WORLD

    @classmethod
    def of(cls, context: SenderContext) -> LookReader:
        stores = context.stores
        rules = RulesLoader(stores.scenarios, stores.campaigns, context.apps, context.monotonic)
        return cls(PersonLoader.of(stores, rules), rules)

    async def rules_of(self, send: FiredSend) -> Rules | None:
        """Return the rules of the send's step; None where the app or the version is gone."""
        rules, ref = await self.rules.load(send.app), send.scenario
        if rules is None:
            return None
        rules = await self.rules.add_versions(rules, [(ref.id, ref.version)])
        return rules.of_version(ref.id, ref.version)

    async def look(
        self,
        send: FiredSend,
        about: Mapping[str, tuple[ItemClaim, ...]],
        now: datetime,
        stage: Stage,
    ) -> dict[str, PushLook]:
        """Return person → look. `about`: person → what the push claims, at release."""
        of_app, rules = await self.rules.load(send.app), await self.rules_of(send)
        if of_app is None or rules is None:
            return dict.fromkeys(about, EXITED)
        loaded = await self.people.load(of_app, about)
        yield_timer = YieldTimer()
        looks: dict[str, PushLook] = {}
        for id, claims in about.items():
            person = loaded.persons.get(id)
            look = EXITED
            if person is not None:
                push = FiredPush(send.id, send.scenario.step, claims)
                look = decide_fired(person, push, rules, self.world, now, stage)
            is_unclear = loaded.is_unwritten(id, now)
            looks[id] = replace(look, is_unclear=True) if is_unclear else look
            await yield_timer.yield_if_due()
        return looks
