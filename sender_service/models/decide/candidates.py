"""Candidates of a choice, by its source, in their order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter

from sender_service.models.decide.person import Person
from sender_service.models.decide.world import World
from sender_service.models.scenario.entry_rules import OnBasket, OnBought
from sender_service.models.scenario.run import Entry
from sender_service.models.scenario.scenario import Choose, Scenario
from shared.documents.profile import BasketLine

ITEM, AT, LINE = itemgetter("item"), itemgetter("at"), itemgetter("item", "quantity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Item that a push may be about; of a line also its quantity and price, as the profile has them."""

    item: str
    quantity: float | None = None
    price: float | None = None
    currency: str | None = None


def candidates_of(choose: Choose, person: Person, entry: Entry, world: World) -> list[Candidate]:
    """Return the candidates of the choice's source, best first, an item once."""
    source = _SOURCES.get(choose.source)
    if source is not None:
        found = source(person, entry)
    else:
        found = [Candidate(item=item) for item in world.tables.get(choose.source, ())]
    return list({one.item: one for one in reversed(found)}.values())[::-1]


def is_of_basket(choose: Choose, scenario: Scenario) -> bool:
    """Return whether the candidates are in her basket by their source."""
    entered = choose.source == "entry" and isinstance(scenario.entry, OnBasket)
    return entered or choose.source == "basket"


def is_of_order(choose: Choose, scenario: Scenario) -> bool:
    """Return whether the candidates are bought by their source."""
    entered = choose.source == "entry" and isinstance(scenario.entry, OnBought)
    return entered or choose.source == "bought"


def _of_entry(person: Person, entry: Entry) -> list[Candidate]:
    lines = {one.item: one for one in [*_of_order(person, entry), *_of_basket(person, entry)]}
    return [lines.get(item, Candidate(item=item)) for item in entry.items]


def _of_views(person: Person, _: Entry) -> list[Candidate]:
    """Return viewed items, newest first."""
    views = sorted(person.profile["viewed"], key=ITEM)
    return [Candidate(item=ITEM(view)) for view in sorted(views, key=AT, reverse=True)]


def _of_basket(person: Person, _: Entry) -> list[Candidate]:
    basket = person.basket
    return _dearest_first(basket["items"], basket["currency"])


def _of_order(person: Person, entry: Entry) -> list[Candidate]:
    """Return the lines of the order by which she entered."""
    for order in person.profile["purchases"]:
        if order["id"] == entry.key:
            return _dearest_first(order["items"], order["currency"])
    return []


def _dearest_first(lines: Iterable[BasketLine], currency: str | None) -> list[Candidate]:
    """Return the lines, dearest first, those without a price last."""
    found = [
        Candidate(item=item, quantity=quantity, price=line.get("price"), currency=currency)
        for line in lines
        for item, quantity in [LINE(line)]
    ]
    return sorted(found, key=lambda one: (-_worth(one), one.item))


def _worth(line: Candidate) -> float:
    return -1.0 if line.price is None else line.price * (line.quantity or 0)


_SOURCES: dict[str, Callable[[Person, Entry], list[Candidate]]] = {
    "entry": _of_entry,
    "viewed": _of_views,
    "basket": _of_basket,
    "bought": _of_order,
}
