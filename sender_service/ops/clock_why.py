"""Explanation of a scenario's clock to a person: what its firings were to her, also without a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sender_service.models.decide.sentences import describe_share
from sender_service.models.scenario.firing import Firing
from sender_service.models.scenario.occurrence import is_for
from sender_service.models.scenario.scenario import Scenario
from sender_service.ops.responses.decisions import ClockFiringResponse
from sender_service.store.contacts import ContactStore
from sender_service.store.firings import FiringStore
from sender_service.store.person_data import PersonNames
from shared.clock import CLOCK_SKEW, Clock

MOST_FIRINGS = 10  # shown
SEARCHED_FIRINGS = 500  # a day has up to 12 of a spread in each time zone


@dataclass(frozen=True, slots=True)
class ClockExplainer:
    """Reader of the clock's firings. Methods raise StoreUnavailable when MongoDB is away."""

    firings: FiringStore
    contacts: ContactStore
    clock: Clock

    async def find(self, scenario: Scenario, known: PersonNames, zone: str) -> list[Firing]:
        """Return the newest firings that were for the person, or pushed to her, the newest first."""
        person, before = str(known.profile["_id"]), self.clock() + CLOCK_SKEW
        newest = await self.firings.find(scenario.app, scenario.id, before, SEARCHED_FIRINGS)
        # She may have been of another zone then, or another person.
        pushed = await self.contacts.scenario_sends(scenario.app, known.ids)
        others = await self.firings.of_clock(pushed)
        found = {one.id: one for one in others if one.scenario == scenario.id}
        for one in newest:
            if one.occurrence is not None and is_for(one.occurrence, scenario, person, zone):
                found[one.id] = one
        return sorted(found.values(), key=_age, reverse=True)[:MOST_FIRINGS]


def to_clock_response(
    firing: Firing, outcomes: Sequence[Mapping[str, Any]] | None
) -> ClockFiringResponse:
    """Return what the firing was to a person of these outcomes; None: its send isn't known."""
    result = None if not outcomes else _best_of(outcomes)
    is_planned = outcomes is not None and firing.state in ("handed", "settled")
    return ClockFiringResponse(
        send=firing.id,
        step=firing.step,
        at=firing.due_at,
        state=firing.state,
        result=result,
        counts=dict(firing.counts),
        sentence=describe_share(firing, result, is_planned=is_planned),
    )


def _age(firing: Firing) -> tuple[object, str]:
    return firing.due_at, firing.id


def _best_of(outcomes: Sequence[Mapping[str, Any]]) -> str:
    """Return what became of the push to the person, of all her players."""
    states = {one["outcome"] for one in outcomes}
    for state in ("sent", "pending"):
        if state in states:
            return state
    return str(outcomes[0]["detail"] or outcomes[0]["reason"])
