"""Exits: what ends a run, or keeps a person from entering. Pure."""

from __future__ import annotations

from datetime import datetime

from sender_service.models.decide.case import Case, Found, build_case
from sender_service.models.decide.decision import End, Refuse
from sender_service.models.decide.exit_facts import is_fulfilled, time_of_exit
from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import World
from sender_service.models.scenario.entry_rules import OnBasket
from sender_service.models.scenario.run import Run, RunEnd
from sender_service.models.scenario.scenario import Exit

EXITS_IN_ORDER: tuple[Exit, ...] = ("bought", "emptied", "clicked")


def check_exits(case: Case) -> Found:
    """End the run, or refuse the entry, where an exit of either version is fulfilled."""
    until = case.rules.until
    if isinstance(case.rules.own.entry, OnBasket) and case.run is None:
        until = until | {"emptied"}  # nobody enters with a basket that counts as emptied
    for name in EXITS_IN_ORDER:
        if name in until and is_fulfilled(name, case.person, case.subject, case.now):
            return (Refuse(name) if case.run is None else End(name)), name
    return None, ", ".join(name for name in EXITS_IN_ORDER if name in until) or "none"


def find_exit(person: Person, run: Run, rules: Rules, world: World, now: datetime) -> RunEnd | None:
    """Return the end of a waiting run of which an exit is fulfilled; None of one that waits on."""
    end, _ = check_exits(build_case(person, run, rules, world, now, "wake"))
    if not isinstance(end, End):
        return None
    return RunEnd(why=end.why, at=time_of_exit(end.why, person, run) or now)
