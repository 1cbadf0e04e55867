"""Limits in segments, with whether anybody can be within them."""

from __future__ import annotations

from typing import Any

NUMBERS: list[tuple[dict[str, Any], bool]] = [
    ({"atLeast": 1, "atMost": 2}, True), ({"atLeast": 2, "atMost": 2}, True),
    ({"atLeast": 3, "atMost": 2}, False),
    ({"moreThan": 2, "atMost": 2}, False), ({"atLeast": 2, "lessThan": 2}, False),
    ({"moreThan": 2, "lessThan": 2}, False),
    ({"moreThan": 1, "lessThan": 2}, True), ({"lessThan": 0}, False), ({"atMost": 0}, True),
    ({"atLeast": 0}, True),
    ({"moreThan": 0}, True), ({"atMost": -1}, False),
    ({"atLeast": 5, "moreThan": 1, "atMost": 4}, False),
    ({"atLeast": 1e13}, False), ({"atLeast": "1"}, False), ({"atLeast": True}, False), ({}, False),
    ({"atLeast": 1.5, "atMost": 1.4}, False), ({"atleast": 1}, False),
    ({"atLeast": None, "atMost": 1}, True),
]  # fmt: skip
COUNTS: list[tuple[dict[str, Any], bool]] = [
    ({"atLeast": 1}, True), ({"atMost": 0}, True), ({"atLeast": 2, "atMost": 2}, True),
    ({"atLeast": 3, "atMost": 2}, False),
    ({"atLeast": 50, "atMost": 49}, False), ({"atLeast": 0}, False), ({"atLeast": 51}, False),
    ({"atMost": 50}, False),
    ({"atLeast": 1.0}, False), ({"atLeast": "1"}, False), ({"atLeast": True}, False), ({}, False),
]  # fmt: skip
PERIODS: list[tuple[dict[str, Any], bool]] = [
    ({"within": {"days": 7}}, True), ({"olderThan": {"days": 7}}, True),
    ({"within": {"days": 7}, "olderThan": {"days": 1}}, True),
    ({"within": {"days": 1}, "olderThan": {"days": 7}}, False),
    ({"within": {"days": 1}, "olderThan": {"hours": 24}}, False), ({"within": {}}, False),
    ({"within": {"days": 0}}, False),
    ({"within": {"days": -1}}, False), ({"within": {"days": 3651}}, False),
    ({"within": {"weeks": 1}}, False),
    ({"within": 7}, False), ({"within": "7d"}, False), ({}, False),
]  # fmt: skip
