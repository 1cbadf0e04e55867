"""Check a profile against a segment, with the meaning of its filter (planner/segment_filter.py). Pure.

A test compares both on the real database. What is missing or null meets no limit, as there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache, singledispatch
from typing import Any

from sender_service.models.languages import plain, spellings
from sender_service.models.segment import (
    And,
    BrowserIs,
    Condition,
    HasBasket,
    HasBought,
    HasCategory,
    HasViewed,
    Known,
    LanguageIs,
    LastSeenIs,
    Not,
    Or,
    TimeZoneIs,
)
from sender_service.models.segment_values import Counted, Period, Range
from shared.clock import whole_milliseconds
from shared.documents.profile import BasketLine, Profile
from shared.models.quiet_hours import own_zone

Entry = Mapping[str, Any]  # of a list of the profile
Bounds = tuple[datetime | None, datetime | None]  # start and end of a period, None where it is open
ANY_TIME: Bounds = (None, None)


@singledispatch
def matches(condition: Condition, profile: Profile, now: datetime) -> bool:
    """Check whether the condition selects the person at `now`."""
    raise TypeError(type(condition).__name__)


@matches.register
def _(condition: And, profile: Profile, now: datetime) -> bool:
    return all(matches(one, profile, now) for one in condition.all_of)


@matches.register
def _(condition: Or, profile: Profile, now: datetime) -> bool:
    return any(matches(one, profile, now) for one in condition.any_of)


@matches.register
def _(condition: Not, profile: Profile, now: datetime) -> bool:
    return not matches(condition.condition, profile, now)


@matches.register
def _(condition: LastSeenIs, profile: Profile, now: datetime) -> bool:
    return _is_within(profile.get("lastSeenAt"), _bounds(condition.last_seen, now))


@matches.register
def _(condition: LanguageIs, profile: Profile, now: datetime) -> bool:
    language = profile.get("language")
    return language is not None and _is_language(language, tuple(condition.language))


@matches.register
def _(condition: TimeZoneIs, profile: Profile, now: datetime) -> bool:
    zone = profile.get("timeZone")
    return any(zone == (own_zone(name) or name) for name in condition.time_zone)


@matches.register
def _(condition: BrowserIs, profile: Profile, now: datetime) -> bool:
    return profile.get("browser") in condition.browser


@matches.register
def _(condition: Known, profile: Profile, now: datetime) -> bool:
    return bool(profile.get(condition.known))


@matches.register
def _(condition: HasViewed, profile: Profile, now: datetime) -> bool:
    viewed, bounds = condition.viewed, _bounds(condition.viewed, now)
    return any(
        _is_one_of(entry.get("item"), viewed.items)
        and _is_one_of(entry.get("category"), viewed.categories)
        and _is_within(entry.get("at"), bounds)
        for entry in _considered(profile.get("viewed"), only_newest=viewed.last is True)
    )


@matches.register
def _(condition: HasCategory, profile: Profile, now: datetime) -> bool:
    category, bounds = condition.category, _bounds(condition.category, now)
    return any(
        _is_one_of(entry.get("id"), category.ids) and _is_within(entry.get("at"), bounds)
        for entry in _considered(profile.get("categories"), only_newest=category.last is True)
    )


@matches.register
def _(condition: HasBasket, profile: Profile, now: datetime) -> bool:
    limits, basket = condition.basket, profile.get("basket")
    lines = basket.get("items") if basket else None
    if not basket or not lines:
        return False
    return (
        _is_within(basket.get("since"), _bounds(limits, now))
        and _has_any(lines, limits.items)
        and _in_range(basket.get("total"), limits.total)
        and (limits.lines is None or _has_count(lines, limits.lines, ANY_TIME))
    )


@matches.register
def _(condition: HasBought, profile: Profile, now: datetime) -> bool:
    bought, purchases = condition.bought, profile.get("purchases") or []
    bounds = _bounds(bought, now)
    if bought.count is not None:
        return _has_count(purchases, bought.count, bounds)
    return any(
        _has_any(order.get("items") or [], bought.items)
        and _in_range(order.get("revenue"), bought.revenue)
        and _is_within(order.get("at"), bounds)
        for order in purchases
    )


def _considered(entries: Sequence[Entry] | None, *, only_newest: bool) -> Sequence[Entry]:
    return (entries or [])[:1] if only_newest else entries or []


def _is_one_of(name: str | None, names: Sequence[str] | None) -> bool:
    return names is None or name in names


def _has_any(lines: Sequence[BasketLine], names: Sequence[str] | None) -> bool:
    return names is None or any(line.get("item") in names for line in lines)


def _bounds(period: Period, now: datetime) -> Bounds:
    return period.bounds(whole_milliseconds(now))  # as the database holds moments


def _is_within(at: datetime | None, bounds: Bounds) -> bool:
    since, before = bounds
    if bounds == ANY_TIME:
        return True
    return at is not None and (since is None or at >= since) and (before is None or at < before)


def _in_range(number: float | None, limits: Range | None) -> bool:
    if limits is None:
        return True
    if number is None:
        return False
    return (
        (limits.at_least is None or number >= limits.at_least)
        and (limits.more_than is None or number > limits.more_than)
        and (limits.at_most is None or number <= limits.at_most)
        and (limits.less_than is None or number < limits.less_than)
    )


def _has_count(entries: Sequence[Entry], count: Counted, bounds: Bounds) -> bool:
    """Check the number of entries within the bounds, where the newest are first."""

    def has(n: int) -> bool:
        return len(entries) >= n and _is_within(entries[n - 1].get("at"), bounds)

    return (count.at_least is None or has(count.at_least)) and (
        count.at_most is None or not has(count.at_most + 1)
    )


@lru_cache(4_096)
def _is_language(language: str, names: tuple[str, ...]) -> bool:
    tags = [tag for name in names for tag in spellings(name)]
    if language in tags or language.startswith(tuple(t + s for t in tags for s in "-_")):
        return True
    return language == "zh" and any(plain(name) == "zh-hans" for name in names)
