"""What a segment means, said in plain Python: the other side of the property test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

Json = Mapping[str, Any]


def selects(segment: Json, profile: Json, now: datetime) -> bool:
    """Is the profile in the segment (as JSON), as of `now`?"""
    ((kind, told),) = segment.items()
    return bool(_RULES[kind](told, profile, now))


def _length(duration: Json) -> timedelta:
    return timedelta(**duration)


def _in_period(told: Json, at: datetime | None, now: datetime) -> bool:
    if "within" not in told and "olderThan" not in told:
        return True
    if at is None:
        return False
    young = "within" not in told or at >= now - _length(told["within"])
    return young and ("olderThan" not in told or at < now - _length(told["olderThan"]))


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


def _count_fits(told: Json, count: int) -> bool:
    return bool(told.get("atLeast", 0) <= count <= told.get("atMost", count))


def _language(told: list[str], profile: Json, _: datetime) -> bool:
    known = (profile["language"] or "").lower()
    names = [name.lower() for name in told]
    return any(known == name or known.startswith(f"{name}-") for name in names)


def _viewed(told: Json, profile: Json, now: datetime) -> bool:
    entries = profile["viewed"][:1] if told.get("last") else profile["viewed"]
    return any(
        entry["item"] in told.get("items", [entry["item"]])
        and ("categories" not in told or entry["category"] in told["categories"])
        and _in_period(told, entry["at"], now)
        for entry in entries
    )


def _category(told: Json, profile: Json, now: datetime) -> bool:
    entries = profile["categories"][:1] if told.get("last") else profile["categories"]
    return any(
        entry["id"] in told.get("ids", [entry["id"]]) and _in_period(told, entry["at"], now)
        for entry in entries
    )


def _basket(told: Json, profile: Json, now: datetime) -> bool:
    basket = profile["basket"]
    items = {line["item"] for line in basket["items"]}
    return (
        bool(items)
        and ("items" not in told or bool(items & set(told["items"])))
        and ("total" not in told or _in_range(told["total"], basket["total"]))
        and _count_fits(told.get("lines", {}), len(items))
        and _in_period(told, basket["at"], now)
    )


def _bought(told: Json, profile: Json, now: datetime) -> bool:
    fitting = [
        order
        for order in profile["purchases"]
        if ("items" not in told or {i["item"] for i in order["items"]} & set(told["items"]))
        and ("revenue" not in told or _in_range(told["revenue"], order["revenue"]))
        and _in_period(told, order["at"], now)
    ]
    return _count_fits(told["count"], len(fitting)) if "count" in told else bool(fitting)


_RULES: dict[str, Any] = {
    "and": lambda told, profile, now: all(selects(one, profile, now) for one in told),
    "or": lambda told, profile, now: any(selects(one, profile, now) for one in told),
    "not": lambda told, profile, now: not selects(told, profile, now),
    "lastSeen": lambda told, profile, now: _in_period(told, profile["lastSeenAt"], now),
    "language": _language,
    "timeZone": lambda told, profile, _: profile["timeZone"] in told,
    "browser": lambda told, profile, _: profile["browser"] in told,
    "known": lambda told, profile, _: profile[told] is not None,
    "viewed": _viewed,
    "category": _category,
    "basket": _basket,
    "bought": _bought,
}
