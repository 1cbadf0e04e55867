"""Exits: what ends a run, or keeps a person from entering. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sender_service.models.decide.case import Case, Found, build_case
from sender_service.models.decide.decision import End, Refuse
from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import World
from sender_service.models.scenario.entry_rules import OnBasket
from sender_service.models.scenario.run import Run, RunEnd
from sender_service.models.scenario.scenario import Exit

ORDERED_WITHIN = timedelta(
    hours=24
)  # a basket whose items were all ordered lately counts as emptied
EXITS_IN_ORDER: tuple[Exit, ...] = ("bought", "emptied", "clicked")


def check_exits(case: Case) -> Found:
    """End the run, or refuse the entry, where an exit of either version is fulfilled."""
    until = case.rules.until
    if isinstance(case.rules.own.entry, OnBasket) and case.run is None:
        until = until | {"emptied"}  # nobody enters with a basket that counts as emptied
    for name in EXITS_IN_ORDER:
        if name in until and _is_fulfilled(name, case):
            return (Refuse(name) if case.run is None else End(name)), name
    return None, ", ".join(name for name in EXITS_IN_ORDER if name in until) or "none"


def find_exit(person: Person, run: Run, rules: Rules, world: World, now: datetime) -> RunEnd | None:
    """Return the end of a waiting run of which an exit is fulfilled; None of one that waits on."""
    end, _ = check_exits(build_case(person, run, rules, world, now, "wake"))
    if not isinstance(end, End):
        return None
    return RunEnd(why=end.why, at=time_of_exit(end.why, person, run) or now)


def time_of_exit(why: str, person: Person, run: Run) -> datetime | None:
    """Return when the fact came that ends the run; None where no fact does.

    What she does after it may begin a new run, also where the end is noticed late.
    """
    if why == "bought":
        return min(person.orders_since(run.entry), default=None)
    if why == "emptied":
        times = [person.basket_since, *(at for _, at, _ in person.orders())]
        return max((at for at in times if at is not None), default=None)
    if why == "clicked":
        firings = {push.firing for push in run.pushes}
        return min((one.at for one in person.clicks if one.send in firings), default=None)
    return None


def counts_as_emptied(person: Person, now: datetime) -> bool:
    """Return whether the basket has no line, or only items that were ordered lately."""
    return person.basket_items <= person.items_bought(now - ORDERED_WITHIN)


def _is_fulfilled(name: Literal["bought", "emptied", "clicked"], case: Case) -> bool:
    if name == "bought":
        return case.person.has_ordered_since(case.entry)
    if name == "emptied":
        return counts_as_emptied(case.person, case.now)
    firings = set() if case.run is None else {push.firing for push in case.run.pushes}
    return any(click.send in firings for click in case.person.clicks)
