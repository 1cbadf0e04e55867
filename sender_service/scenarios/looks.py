"""Looks at people whose step was fired, at planning and again before the release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sender_service.context import SenderContext
from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.decision import Stage
from sender_service.models.decide.fired import EXITED, FiredPush, decide_fired
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import EMPTY_WORLD, World
from sender_service.models.scenario.entry_rules import ClockRule
from sender_service.models.scenario.firing import entry_of
from sender_service.models.scenario.push_look import PushLook
from sender_service.models.scenario.run import Entry, ItemClaim
from sender_service.scenarios.build_rules import build_rules_loader
from sender_service.scenarios.fired_send import FiredSend
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.store.firings import FiringStore
from sender_service.yield_timer import YieldTimer
from shared.documents.profile import Profile


@dataclass(frozen=True, slots=True)
class LookReader:
    """Looks at people of a firing. Methods raise StoreUnavailable when MongoDB is away."""

    people: PersonLoader
    rules: RulesLoader
    firings: FiringStore
    world: World = EMPTY_WORLD

    @classmethod
    def of(cls, context: SenderContext) -> LookReader:
        stores = context.stores
        rules = build_rules_loader(context)
        return cls(PersonLoader.of(stores, rules), rules, stores.firings)

    async def needs_knowledge(self, send: FiredSend) -> bool:
        """Return whether what people did lately may forbid the push."""
        rules = await self.rules.load(send.app)
        own = None if rules is None else await self._rules_of(send, rules)
        return own is not None and own.needs_knowledge

    async def _rules_of(self, send: FiredSend, rules: AppRules) -> Rules | None:
        """Return the rules of the send's step; None where the version is gone."""
        ref = send.scenario
        rules = await self.rules.add_versions(rules, [(ref.id, ref.version)])
        return rules.of_version(ref.id, ref.version)

    async def look(
        self,
        send: FiredSend,
        about: Mapping[str, tuple[ItemClaim, ...]],
        now: datetime,
        stage: Stage,
        known: Sequence[Profile] = (),
    ) -> dict[str, PushLook]:
        """Return person → look. `about`: person → what the push claims, at release.

        `known`: profiles that were read just now.
        """
        of_app = await self.rules.load(send.app)
        rules = None if of_app is None else await self._rules_of(send, of_app)
        if of_app is None or rules is None:
            return dict.fromkeys(about, EXITED)
        entry = await self._entry_of(send, rules)
        loaded = await self.people.load(of_app, about, known=known)
        yield_timer = YieldTimer()
        looks: dict[str, PushLook] = {}
        for id, claims in about.items():
            person = loaded.persons.get(id)
            look = EXITED
            if person is not None:
                push = FiredPush(send.id, send.scenario.step, claims, entry)
                look = decide_fired(person, push, rules, self.world, now, stage)
            is_unclear = loaded.is_unwritten(id, now)
            looks[id] = replace(look, is_unclear=True) if is_unclear else look
            await yield_timer.yield_if_due()
        return looks

    async def _entry_of(self, send: FiredSend, rules: Rules) -> Entry | None:
        """Return the clock's entry that the send pushes; None of other sends."""
        if not isinstance(rules.own.entry, ClockRule):
            return None
        firing = await self.firings.get(send.id)
        return None if firing is None else entry_of(firing)
