"""Profile folded from moments alone, as a simulation knows a person. Pure.

It has what facts show: views, categories, basket, purchases and times. All else is today's.
Facts from before a merge stand under the merged person's name, so the survivor's moments lack them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from shared.documents.profile import Basket, BasketLine, Category, Profile, Purchase, ViewedItem
from shared.ids import head_of, slot_of
from shared.models.facts import (
    BasketChanged,
    Bought,
    CategorySeen,
    Erased,
    Fact,
    FactLine,
    Viewed,
)
from shared.models.person_moment import PersonMoment

MAX_FACTS = 50  # of each list, as the projector keeps entries
Of = TypeVar("Of", Viewed, CategorySeen, BasketChanged, Bought)


def fold_profile(moments: Sequence[PersonMoment], today: Profile | None = None) -> Profile:
    """Return the profile after these moments of a person, at least one, in the log's order."""
    facts = _facts_since_erasure(moments)
    seen = [moment.seen_at for moment in moments if moment.seen_at is not None]
    seen += [fact.at for fact in facts]
    zones = [moment.zone for moment in moments if moment.zone is not None]
    profile = today or _blank(moments[-1].app, moments[-1].person, max(seen))
    return {
        **profile,
        "lastSeenAt": max(seen),
        "timeZone": zones[-1] if zones else None,
        "viewed": _fold_views(facts),
        "categories": _fold_categories(facts),
        "basket": _fold_basket(facts),
        "purchases": _fold_purchases(facts),
    }


def _facts_since_erasure(moments: Iterable[PersonMoment]) -> list[Fact]:
    """Return the facts, the earliest first; of one moment in the log's order."""
    facts = [fact for moment in moments for fact in moment.facts]
    erased = max((fact.at for fact in facts if isinstance(fact, Erased)), default=None)
    left = [fact for fact in facts if erased is None or fact.at > erased]
    return sorted(left, key=lambda fact: fact.at)


def _newest_by(facts: Iterable[Fact], kind: type[Of], name: Callable[[Of], str]) -> list[Of]:
    """Return the latest fact of each name, the newest first."""
    found: dict[str, Of] = {}
    for fact in facts:
        if isinstance(fact, kind):
            found.pop(name(fact), None)
            found[name(fact)] = fact
    return list(found.values())[::-1][:MAX_FACTS]


def _fold_views(facts: Sequence[Fact]) -> list[ViewedItem]:
    views = _newest_by(facts, Viewed, lambda fact: fact.item)
    return [{"item": fact.item, "category": fact.category, "at": fact.at} for fact in views]


def _fold_categories(facts: Sequence[Fact]) -> list[Category]:
    seen = _newest_by(facts, CategorySeen, lambda fact: fact.category)
    return [{"id": fact.category, "at": fact.at} for fact in seen]


def _fold_basket(facts: Sequence[Fact]) -> Basket:
    """Return the last basket; an order since emptied it, as of its earliest time."""
    last = next((fact for fact in reversed(facts) if isinstance(fact, BasketChanged)), None)
    orders = _earliest_times(facts).values()
    emptied = max(orders, default=None)
    if last is None or (emptied is not None and emptied >= last.at):
        return {"items": [], "total": None, "currency": None, "at": emptied, "since": emptied}
    return {
        "items": _lines(last.items), "total": last.total, "currency": last.currency,
        "at": last.at, "since": last.at,
    }  # fmt: skip


def _fold_purchases(facts: Sequence[Fact]) -> list[Purchase]:
    """Return the orders, each at its earliest time, all else as it was reported last."""
    times = _earliest_times(facts)
    orders: list[Purchase] = [
        {
            "id": fact.order, "items": _lines(fact.items), "revenue": fact.revenue,
            "currency": fact.currency, "at": times[fact.order],
        }
        for fact in _newest_by(facts, Bought, lambda fact: fact.order)
    ]  # fmt: skip
    return sorted(orders, key=lambda order: times[order["id"]], reverse=True)


def _earliest_times(facts: Iterable[Fact]) -> dict[str, datetime]:
    times: dict[str, datetime] = {}
    for fact in facts:
        if isinstance(fact, Bought):
            times.setdefault(fact.order, fact.at)
    return times


def _lines(lines: Iterable[FactLine]) -> list[BasketLine]:
    return [
        {"item": line.item, "quantity": line.quantity, "price": line.price}
        for line in lines
        if line.quantity > 0
    ]


def _blank(app: str, person: str, at: datetime) -> Profile:
    return {
        "_id": person, "rev": 0, "app": app, "slot": slot_of(person), "head": head_of(person),
        "login": None, "email": None, "visitors": [], "pastVisitors": [], "proven": False,
        "unproven": [], "aliases": [], "players": [], "db": {}, "lastSeenAt": at,
        "timeZone": None, "language": None, "browser": None, "tags": {}, "viewed": [],
        "categories": [], "purchases": [], "changedAt": at,
        "basket": {"items": [], "total": None, "currency": None, "at": None, "since": None},
    }  # fmt: skip
