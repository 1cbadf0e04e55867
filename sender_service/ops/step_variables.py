"""Variables of a scenario's step for one person, as its planning gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sender_service.context import SenderContext
from sender_service.models.decide.stepping import choose_now, last_entry
from sender_service.models.scenario.scenario import Scenario, Step
from sender_service.models.unknown_app import UnknownApp
from sender_service.ops.scenario_draft_bodies import wrong_field
from sender_service.scenarios.build_rules import build_rules_loader
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.store.people import PeopleReader
from shared.clock import Clock
from shared.errors import Conflict


@dataclass(frozen=True, slots=True)
class StepVariables:
    """Variables of a step for a player's person. Methods raise StoreUnavailable when MongoDB is away."""

    people: PeopleReader
    loader: PersonLoader
    rules: RulesLoader
    clock: Clock

    @classmethod
    def of(cls, context: SenderContext) -> StepVariables:
        stores = context.stores
        rules = build_rules_loader(context)
        return cls(stores.people, PersonLoader.of(stores, rules), rules, context.clock)

    async def read(self, scenario: Scenario, step: Step, player: str) -> Mapping[str, Any]:
        """Return the variables. Raises InvalidPayload, Conflict where there is nothing to offer."""
        app, now = scenario.app, self.clock()
        rules = await self.rules.load(app)
        if rules is None:
            raise UnknownApp(app)
        rules = await self.rules.put_draft(rules, scenario)  # as it was read, whatever it is now
        own = rules.of_version(scenario.id, scenario.version)
        assert own is not None
        owner = (await self.people.by_players(app, [player])).get(player)
        found = [] if owner is None else await self.loader.of_profiles(rules, [owner])
        if not found:
            raise wrong_field("player", "unknown_player", "no such player")
        person = found[0]
        push = choose_now(person, last_entry(person, own, now), step, own, now)
        if push is None:
            message = f"the step {step.id} chooses no item for this player's person"
            raise Conflict(message, code="nothing_to_offer")
        return push.variables
