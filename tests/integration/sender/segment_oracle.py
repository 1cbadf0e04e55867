"""Segments evaluated in plain Python: the other side of the property test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

Json = Mapping[str, Any]


def selects(segment: Json, profile: Json, now: datetime) -> bool:
    """Check whether the profile is in the segment (JSON), as of `now`."""
    ((kind, condition),) = segment.items()
    return bool(_RULES[kind](condition, profile, now))


def _length(duration: Json) -> timedelta:
    return timedelta(**duration)


def _in_period(condition: Json, at: datetime | None, now: datetime) -> bool:
    if "within" not in condition and "olderThan" not in condition:
        return True
    if at is None:
        return False
    young = "within" not in condition or at >= now - _length(condition["within"])
    return young and ("olderThan" not in condition or at < now - _length(condition["olderThan"]))


def _in_range(limits: Json, number: float | None) -> bool:
    if number is None:
        return False
    return all(
        (
            number >= limits.get("atLeast", number),
            number <= limits.get("atMost", number),
            "moreThan" not in limits or number > limits["moreThan"],
            "lessThan" not in limits or number < limits["lessThan"],
        )
    )


def _count_fits(condition: Json, count: int) -> bool:
    return bool(condition.get("atLeast", 0) <= count <= condition.get("atMost", count))


def _language(condition: list[str], profile: Json, _: datetime) -> bool:
    known = (profile["language"] or "").lower()
    names = [name.lower() for name in condition]
    return any(known == name or known.startswith(f"{name}-") for name in names)


def _viewed(condition: Json, profile: Json, now: datetime) -> bool:
    entries = profile["viewed"][:1] if condition.get("last") else profile["viewed"]
    return any(
        entry["item"] in condition.get("items", [entry["item"]])
        and ("categories" not in condition or entry["category"] in condition["categories"])
        and _in_period(condition, entry["at"], now)
        for entry in entries
    )


def _category(condition: Json, profile: Json, now: datetime) -> bool:
    entries = profile["categories"][:1] if condition.get("last") else profile["categories"]
    return any(
        entry["id"] in condition.get("ids", [entry["id"]])
        and _in_period(condition, entry["at"], now)
        for entry in entries
    )


def _basket(condition: Json, profile: Json, now: datetime) -> bool:
    basket = profile["basket"]
    items = {line["item"] for line in basket["items"]}
    return (
        bool(items)
        and ("items" not in condition or bool(items & set(condition["items"])))
        and ("total" not in condition or _in_range(condition["total"], basket["total"]))
        and _count_fits(condition.get("lines", {}), len(items))
        and _in_period(condition, basket["since"], now)
    )


def _bought(condition: Json, profile: Json, now: datetime) -> bool:
    fitting = [
        order
        for order in profile["purchases"]
        if (
            "items" not in condition
            or {i["item"] for i in order["items"]} & set(condition["items"])
        )
        and ("revenue" not in condition or _in_range(condition["revenue"], order["revenue"]))
        and _in_period(condition, order["at"], now)
    ]
    return _count_fits(condition["count"], len(fitting)) if "count" in condition else bool(fitting)


_RULES: dict[str, Any] = {
    "and": lambda condition, profile, now: all(selects(one, profile, now) for one in condition),
    "or": lambda condition, profile, now: any(selects(one, profile, now) for one in condition),
    "not": lambda condition, profile, now: not selects(condition, profile, now),
    "lastSeen": lambda condition, profile, now: _in_period(condition, profile["lastSeenAt"], now),
    "language": _language,
    "timeZone": lambda condition, profile, _: profile["timeZone"] in condition,
    "browser": lambda condition, profile, _: profile["browser"] in condition,
    "known": lambda condition, profile, _: profile[condition] is not None,
    "viewed": _viewed,
    "category": _category,
    "basket": _basket,
    "bought": _bought,
}
