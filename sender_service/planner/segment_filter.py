"""Translate a segment into a filter, in the portable subset of MongoDB's queries. Pure.

Every key of a filter is written here. A trigger's data is only ever a value of `$in`, `$gte`, `$gt`,
`$lte` or `$lt`; it has been validated as a text, a number or a moment.
A profile's lists are sorted, newest first. The newest entry is number 0, and "at least n since" tests
entry n - 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import singledispatch
from typing import Any

from sender_service.models.languages import plain, spellings
from sender_service.models.segment import (
    And,
    Basket,
    Bought,
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
from shared.models.quiet_hours import own_zone

Filter = dict[str, Any]

OPERATORS = {"atLeast": "$gte", "moreThan": "$gt", "atMost": "$lte", "lessThan": "$lt"}
EXISTS: Filter = {"$exists": True}


@singledispatch
def to_filter(condition: Condition, now: datetime) -> Filter:
    """Return the filter for people whom the condition selects at `now`."""
    raise TypeError(type(condition).__name__)


@to_filter.register
def _(condition: And, now: datetime) -> Filter:
    return _all([to_filter(one, now) for one in condition.all_of])


@to_filter.register
def _(condition: Or, now: datetime) -> Filter:
    return {"$or": [to_filter(one, now) for one in condition.any_of]}


@to_filter.register
def _(condition: Not, now: datetime) -> Filter:
    return {"$nor": [to_filter(condition.condition, now)]}


@to_filter.register
def _(condition: LastSeenIs, now: datetime) -> Filter:
    return {"lastSeenAt": _period(condition.last_seen, now)}


@to_filter.register
def _(condition: LanguageIs, now: datetime) -> Filter:
    """Return the filter for the languages and their regions."""
    # `.` follows `-` in Unicode: all texts from `cs-` to below `cs.` begin with `cs-`. So with `_`.
    tags = [tag for name in condition.language for tag in spellings(name)]
    regions = [
        {"language": {"$gte": tag + separator, "$lt": tag + chr(ord(separator) + 1)}}
        for tag in tags
        for separator in "-_"
    ]
    simplified = any(plain(name) == "zh-hans" for name in condition.language)
    return {"$or": [{"language": {"$in": [*tags, *["zh"] * simplified]}}, *regions]}


@to_filter.register
def _(condition: TimeZoneIs, now: datetime) -> Filter:
    return {"timeZone": {"$in": [own_zone(name) or name for name in condition.time_zone]}}


@to_filter.register
def _(condition: BrowserIs, now: datetime) -> Filter:
    return {"browser": {"$in": condition.browser}}


@to_filter.register
def _(condition: Known, now: datetime) -> Filter:
    return {condition.known: {"$gt": ""}}


@to_filter.register
def _(condition: HasViewed, now: datetime) -> Filter:
    viewed = condition.viewed
    entry = {
        "item": _one_of(viewed.items),
        "category": _one_of(viewed.categories),
        "at": _period(viewed, now),
    }
    return _entry("viewed", entry, only_newest=viewed.last is True)


@to_filter.register
def _(condition: HasCategory, now: datetime) -> Filter:
    category = condition.category
    entry = {"id": _one_of(category.ids), "at": _period(category, now)}
    return _entry("categories", entry, only_newest=category.last is True)


@to_filter.register
def _(condition: HasBasket, now: datetime) -> Filter:
    basket: Basket = condition.basket
    given = {
        "basket.since": _period(basket, now),
        "basket.items.item": _one_of(basket.items),
        "basket.total": _range(basket.total),
    }
    filters: list[Filter] = [{"basket.items.0": EXISTS}]
    filters += [{path: limits} for path, limits in given.items() if limits]
    if basket.lines is not None:
        filters += _counted("basket.items", basket.lines)
    return _all(filters)


@to_filter.register
def _(condition: HasBought, now: datetime) -> Filter:
    bought: Bought = condition.bought
    if bought.count is not None:
        since, _ = bought.bounds(now)
        return _all(_counted("purchases", bought.count, since))
    entry = {
        "items.item": _one_of(bought.items),
        "revenue": _range(bought.revenue),
        "at": _period(bought, now),
    }
    return _entry("purchases", entry, only_newest=False)


def _all(filters: Sequence[Filter]) -> Filter:
    return {"$and": list(filters)}


def _entry(field: str, entry: dict[str, Filter], *, only_newest: bool) -> Filter:
    """Return the filter for an entry that meets all limits: any entry, or only the newest."""
    given = {name: limits for name, limits in entry.items() if limits}
    if only_newest:
        newest = [{f"{field}.0.{name}": limits} for name, limits in given.items()]
        return _all([{f"{field}.0": EXISTS}, *newest])
    return {field: {"$elemMatch": given}} if given else {f"{field}.0": EXISTS}


def _counted(field: str, count: Counted, since: datetime | None = None) -> list[Filter]:
    """Return the filters for the number of entries since a moment."""
    # At least n: entry n - 1 exists and isn't too old. At most n: entry n doesn't.
    filters: list[Filter] = []
    if count.at_least is not None:
        filters.append(_nth(field, count.at_least - 1, since))
    if count.at_most is not None:
        filters.append({"$nor": [_nth(field, count.at_most, since)]})
    return filters


def _nth(field: str, n: int, since: datetime | None) -> Filter:
    return {f"{field}.{n}": EXISTS} if since is None else {f"{field}.{n}.at": {"$gte": since}}


def _one_of(names: Sequence[str] | None) -> Filter:
    return {} if names is None else {"$in": list(names)}


def _range(limits: Range | None) -> Filter:
    given = {} if limits is None else limits.limits
    return {OPERATORS[name]: limit for name, limit in given.items() if limit is not None}


def _period(period: Period, now: datetime) -> Filter:
    since, before = period.bounds(now)
    limits: Filter = {} if since is None else {"$gte": since}
    return limits if before is None else {**limits, "$lt": before}
