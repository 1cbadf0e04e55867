"""Exits: what ends a run, or keeps a person from entering. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sender_service.models.decide.case import Case, Found
from sender_service.models.decide.decision import End, Refuse
from sender_service.models.decide.person import Person
from sender_service.models.scenario.entry_rules import OnBasket
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
