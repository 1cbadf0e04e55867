"""Profile of a person, as stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict


class ProfilePlayer(TypedDict):
    """Player as its profile lists it."""

    id: str
    state: str
    browser: str | None
    proven: bool
    lastSeenAt: datetime
    provider: NotRequired[str]  # absent: the default one (shared/providers.py)


class ViewedItem(TypedDict):
    item: str
    category: str | None
    at: datetime


class Category(TypedDict):
    id: str
    at: datetime


class BasketLine(TypedDict):
    """A line of a basket or an order; an unknown price is None, or absent in an order."""

    item: str
    quantity: float
    price: NotRequired[float | None]


class Basket(TypedDict):
    """A basket. `at` is its last event, `since` the one that set its lines; None before the first."""

    items: list[BasketLine]
    total: float | None
    currency: str | None
    at: datetime | None
    since: datetime | None


class Purchase(TypedDict):
    """An order; `at` is its earliest event's time, the rest is from its latest one."""

    id: str
    items: list[BasketLine]
    revenue: float | None
    currency: str | None
    at: datetime


class Profile(TypedDict):
    """Profile of a person. Lists of entries are sorted, newest first.

    `rev` is 0 before the first write. `unproven`, `pastVisitors` and `visitors` are visitor ids.
    """

    _id: str
    rev: int
    app: str
    slot: int
    head: str
    login: str | None
    email: str | None
    visitors: list[str]
    pastVisitors: list[str]
    proven: bool
    unproven: list[str]
    aliases: list[str]
    players: list[ProfilePlayer]
    db: dict[str, Any]  # as Persoo's templates read it
    lastSeenAt: datetime
    timeZone: str | None
    language: str | None
    browser: str | None
    tags: dict[str, Any]
    viewed: list[ViewedItem]
    categories: list[Category]
    basket: Basket
    purchases: list[Purchase]
    changedAt: datetime
