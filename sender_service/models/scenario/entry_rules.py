"""Entry rules: what makes a person enter a scenario (docs/scenarios.md). Pure.

Three kinds: moments of the person, the clock, and changes of the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

Scalar = str | int | float | bool
Zone = Literal["app", "person"]  # whose time zone a time of day is in
Weekday = Literal["mo", "tu", "we", "th", "fr", "sa", "su"]
WEEKDAYS: tuple[Weekday, ...] = ("mo", "tu", "we", "th", "fr", "sa", "su")
VIEWS_WITHIN = timedelta(days=7)  # in which the different items of `viewed.atLeast` are counted


@dataclass(frozen=True, slots=True)
class OnBasket:
    """Entry when a basket changes to one with a line in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnViewed:
    """Entry at an item's page. Without items and categories any counts; with both, either."""

    items: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    at_least: int = 1  # different items that match, within VIEWS_WITHIN


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCategory:
    """Entry at a category's page; without ids, at any."""

    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBought:
    """Entry at an order, a run each. Without items and categories any counts; with both, either."""

    items: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()  # by the catalogue: an order names no categories


@dataclass(frozen=True, slots=True)
class OnIdentified:
    """Entry when a browser is connected with a login."""


@dataclass(frozen=True, slots=True)
class OnSubscribed:
    """Entry when the person's first player subscribes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnEvent:
    """Entry at an event of the shop's own type whose data has these values.

    With `key`, the field's value keeps runs apart: a run for each.
    """

    type: str
    where: tuple[tuple[str, Scalar], ...] = ()
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDaily:
    """Entry at a time of day; without days, on all."""

    at: time
    days: tuple[Weekday, ...] = ()
    zone: Zone = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnOnce:
    """Entry at one moment."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OnSegment:
    """Entry, daily at a time of the app's zone, of who fulfils the scenario's condition."""

    at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class OnNewIn:
    """Entry, daily at a time of the app's zone, when items came into the catalogue lately."""

    at: time
    days: int  # within which they came


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPriceDrop:
    """Entry when the price of a viewed item falls by so much."""

    percent: int
    viewed_within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBackInStock:
    """Entry when a viewed item is in stock again."""

    viewed_within: timedelta


MomentRule = OnBasket | OnViewed | OnCategory | OnBought | OnIdentified | OnSubscribed | OnEvent
ClockRule = OnDaily | OnOnce | OnSegment | OnNewIn
CatalogueRule = OnPriceDrop | OnBackInStock
EntryRule = MomentRule | ClockRule | CatalogueRule


def is_of_moment(rule: EntryRule) -> bool:
    """Return whether what a person does makes her enter."""
    return isinstance(rule, MomentRule)
