"""Events of a shop's visitors, by which people enter and leave scenarios."""

from __future__ import annotations

from shared.models.event import Event
from tests.support.projector_doubles import event


def basket(visitor: str, number: int, *items: str) -> Event:
    lines = [{"item": one, "quantity": 1, "price": 20} for one in items or ("tea",)]
    return event("pageview", visitor, number, basketItems=lines)


def purchase(visitor: str, number: int, id: str = "o-1", item: str = "tea") -> Event:
    lines = [{"item": item, "quantity": 1, "price": 20}]
    return event("purchase", visitor, number, id=id, items=lines, revenue=20)


def login(visitor: str, number: int, who: str = "eva") -> Event:
    return event("identify", visitor, number, login=who)
