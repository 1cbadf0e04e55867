"""Entries of now, made of what a person's profile shows that she did. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sender_service.models.decide.entry_facts import find_entries
from sender_service.models.decide.person import Person
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.entry_rules import (
    CatalogueRule,
    ClockRule,
    EntryRule,
    OnBasket,
    OnBought,
    OnCategory,
    OnEvent,
    OnIdentified,
    OnNewIn,
    OnSubscribed,
    OnViewed,
)
from sender_service.models.scenario.run import Entry
from sender_service.models.segment import (
    And,
    Condition,
    HasBasket,
    HasBought,
    HasCategory,
    HasViewed,
    Known,
)
from shared.documents.profile import BasketLine, Profile
from shared.models.facts import (
    BasketChanged,
    Bought,
    CategorySeen,
    Fact,
    FactLine,
    Identified,
    Subscribed,
    Viewed,
)
from shared.models.person_moment import PersonMoment

MADE = "made"  # the event of an entry that nobody made
LATELY = timedelta(days=7)
_LATELY = {"within": {"days": LATELY.days}}
# What the profiles of people have who may enter by a rule.
_CONDITIONS: dict[type[EntryRule], Condition] = {
    OnBasket: HasBasket.model_validate({"basket": _LATELY}),
    OnViewed: HasViewed.model_validate({"viewed": _LATELY}),
    OnCategory: HasCategory.model_validate({"category": _LATELY}),
    OnBought: HasBought.model_validate({"bought": _LATELY}),
    OnIdentified: Known(known="login"),
}
VIEW, LINE = itemgetter("at", "item", "category"), itemgetter("item", "quantity")


def condition_of_entering(rule: EntryRule, condition: Condition | None) -> Condition | None:
    """Return the condition of who may enter: a scenario's `if`, and what the rule asks of a profile."""
    both = [one for one in (condition, _CONDITIONS.get(type(rule))) if one is not None]
    if len(both) < 2:
        return both[0] if both else None
    return And.model_validate({"and": both})


def make_entry(
    rule: EntryRule, person: Person, now: datetime, within: timedelta | None = None
) -> Entry | None:
    """Return the entry of the last thing the person did that makes her enter; None where there is none.

    `within`: she did it lately. Of the shop's own events a profile shows nothing; these, and the clock,
    enter anybody. What only a catalogue knows enters nobody.
    """
    if isinstance(rule, CatalogueRule | OnNewIn):
        return None
    if isinstance(rule, ClockRule | OnEvent):
        return Entry(at=now, event=MADE)
    since = None if within is None else now - within
    facts = [
        fact for fact in _facts_of(rule, person.profile, now) if since is None or fact.at >= since
    ]
    subscribed = sum(isinstance(fact, Subscribed) for fact in facts)
    moment = PersonMoment.model_construct(
        app=person.profile["app"], person=person.id, subscribed=subscribed, facts=facts
    )
    found = find_entries(rule, moment, person.profile, EMPTY_WORLD)
    return replace(found[-1], at=now) if found else None


def _facts_of(rule: EntryRule, profile: Profile, now: datetime) -> list[Fact]:
    """Return the facts of the rule's kind that the profile shows; of a login and a player, as of now."""
    match rule:
        case OnBasket():
            basket = profile["basket"]
            return [BasketChanged(MADE, basket["since"] or now, _lines(basket["items"]))]
        case OnViewed():
            views = map(VIEW, profile["viewed"])
            return [Viewed(MADE, at, item, category) for at, item, category in views]
        case OnCategory():
            return [CategorySeen(MADE, seen["at"], seen["id"]) for seen in profile["categories"]]
        case OnBought():
            return [
                Bought(MADE, order["at"], order["id"], _lines(order["items"]), source=MADE)
                for order in profile["purchases"]
            ]
        case OnIdentified():
            return [] if profile["login"] is None else [Identified(MADE, now)]
        case OnSubscribed():
            states: Iterable[Any] = (player["state"] for player in profile["players"])
            return [Subscribed(MADE, now) for state in states if state == "subscribed"]
        case _:
            return []


def _lines(lines: Iterable[BasketLine]) -> list[FactLine]:
    return [FactLine(item, quantity) for item, quantity in map(LINE, lines)]
