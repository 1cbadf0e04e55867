"""Entries that the facts of a moment make, by a scenario's entry rule. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from sender_service.models.decide.world import World
from sender_service.models.scenario.entry_rules import (
    VIEWS_WITHIN,
    EntryRule,
    OnBasket,
    OnBought,
    OnCategory,
    OnEvent,
    OnIdentified,
    OnSubscribed,
    OnViewed,
    Scalar,
)
from sender_service.models.scenario.run import Entry
from shared.documents.profile import Profile
from shared.models.facts import (
    BasketChanged,
    Bought,
    CategorySeen,
    CustomEvent,
    Fact,
    FactLine,
    Identified,
    Subscribed,
    Viewed,
)
from shared.models.person_moment import PersonMoment

MAX_KEY = 128  # characters of a value that keeps runs apart
VIEW = itemgetter("item", "category", "at")
_KINDS: dict[type[EntryRule], str] = {
    OnBasket: "basket", OnViewed: "viewed", OnCategory: "category", OnBought: "bought",
    OnIdentified: "identified", OnSubscribed: "subscribed", OnEvent: "event",
}  # fmt: skip


def kind_of(rule: EntryRule) -> str | None:
    """Return the kind of facts that enter by a rule; None of the clock's and the catalogue's."""
    return _KINDS.get(type(rule))


def find_entries(
    rule: EntryRule, moment: PersonMoment, profile: Profile, world: World
) -> list[Entry]:
    """Return the entries that a moment makes, the earliest first; none by a rule of another kind.

    `profile` is the person's, read after the moment.
    """
    found = (_entry_of(rule, fact, moment, profile, world) for fact in moment.facts)
    return sorted((one for one in found if one is not None), key=lambda entry: entry.at)


def _entry_of(
    rule: EntryRule, fact: Fact, moment: PersonMoment, profile: Profile, world: World
) -> Entry | None:
    match rule, fact:
        case OnBasket(), BasketChanged():
            return _of_lines(fact, fact.items)
        case OnViewed(), Viewed():
            return _of_view(rule, fact, profile)
        case OnCategory(), CategorySeen():
            return _entry(fact) if not rule.ids or fact.category in rule.ids else None
        case OnBought(), Bought():
            fits = _fits_order(rule, fact, world)
            return _of_lines(fact, fact.items, key=fact.order, empty=True) if fits else None
        case OnSubscribed(), Subscribed():
            return _entry(fact) if _is_first_player(moment) else None
        case OnIdentified(), Identified():
            return _entry(fact)
        case OnEvent(), CustomEvent():
            return _of_event(rule, fact)
        case _:
            return None


def _entry(fact: Fact, items: Iterable[str] = (), key: str | None = None) -> Entry:
    names = tuple(dict.fromkeys(items))
    return Entry(at=fact.at, event=fact.id, count=len(names) or 1, items=names, key=key)


def _of_lines(
    fact: Fact, lines: Iterable[FactLine], *, key: str | None = None, empty: bool = False
) -> Entry | None:
    """Return the entry with the items of these lines; None without any, unless `empty` may be."""
    items = [line.item for line in lines if line.quantity > 0]
    return _entry(fact, items, key) if items or empty else None


def _of_view(rule: OnViewed, fact: Viewed, profile: Profile) -> Entry | None:
    """Return the entry with the items viewed lately that fit, where they are enough."""
    if not _fits_view(rule, fact.item, fact.category):
        return None
    since = fact.at - VIEWS_WITHIN
    earlier = [
        item
        for item, category, at in map(VIEW, profile["viewed"])
        if since <= at <= fact.at and _fits_view(rule, item, category)
    ]
    entry = _entry(fact, [fact.item, *earlier])
    return entry if entry.count >= rule.at_least else None


def _fits_view(rule: OnViewed, item: str, category: str | None) -> bool:
    is_any = not rule.items and not rule.categories
    return is_any or item in rule.items or category in rule.categories


def _fits_order(rule: OnBought, fact: Bought, world: World) -> bool:
    if not rule.items and not rule.categories:
        return True
    return any(
        line.item in rule.items or _is_in_category(line.item, rule.categories, world)
        for line in fact.items
    )


def _is_in_category(item: str, categories: tuple[str, ...], world: World) -> bool:
    product = (world.products or {}).get(item)
    return product is not None and not set(categories).isdisjoint(product.categories)


def _is_first_player(moment: PersonMoment) -> bool:
    """Return whether she had no subscribed player before this moment."""
    subscribed = sum(isinstance(fact, Subscribed) for fact in moment.facts)
    return 0 < moment.subscribed <= subscribed


def _of_event(rule: OnEvent, fact: CustomEvent) -> Entry | None:
    if fact.type != rule.type or not all(_has_value(fact.data, *one) for one in rule.where):
        return None
    if rule.key is None:
        return _entry(fact)
    key = _key_of(fact.data.get(rule.key))
    return None if key is None else _entry(fact, key=key)


def _has_value(data: Mapping[str, Any], field: str, value: Scalar) -> bool:
    found = data.get(field)
    return isinstance(found, bool) is isinstance(value, bool) and found == value


def _key_of(value: object) -> str | None:
    """Return the value as a text; None for what is no scalar, or too long."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value)
    return text if 0 < len(text) <= MAX_KEY else None
