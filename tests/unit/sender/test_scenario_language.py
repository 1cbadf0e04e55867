"""Tests of the scenario language: every bound, default and error, by path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.scenarios import BODY, SMALL, STEP, errors_of, read_scenario, with_value

VIEWED = {**SMALL, "enter": {"on": "viewed"}}
EVENT = {**SMALL, "enter": {"on": "event", "type": "quiz"}}
DROP = {**SMALL, "enter": {"on": "priceDrop"}}
STOCK = {**SMALL, "enter": {"on": "backInStock"}}
NEW = {**SMALL, "enter": {"on": "newIn", "at": "10:00"}}
DAILY = {**SMALL, "enter": {"on": "daily", "at": "10:00"}}
AT = {**SMALL, "steps": [{**STEP, "at": {"time": "10:00"}}]}
CHOOSE = {**SMALL, "steps": [{**STEP, "choose": {"from": "hotDeals"}}]}
# A whole number: the body it is in, its path, its least and its most.
WHOLE = [
    (SMALL, "priority", 1, 100),
    (SMALL, "again.days", 0, 3650),
    (SMALL, "maxLate", 5, 1440),
    (SMALL, "spread", 0, 720),
    (SMALL, "steps.0.after.minutes", 0, 129_600),
    (AT, "steps.0.at.days", 0, 90),
    (CHOOSE, "steps.0.choose.take", 1, 5),
    (VIEWED, "enter.atLeast", 1, 10),
    (NEW, "enter.days", 1, 30),
    (DROP, "enter.percent", 1, 90),
    (DROP, "enter.viewedWithin", 1, 30),
    (STOCK, "enter.viewedWithin", 1, 30),
]
LONG = "x" * 129
IDS = [str(n) for n in range(101)]
# A value that is refused: the body it is in, its path, the value; the path and code of the error.
REFUSED: list[tuple[dict[str, Any], str, Any, str, str]] = [
    (SMALL, "name", "", "name", "string_too_short"),
    (SMALL, "name", LONG, "name", "string_too_long"),
    (SMALL, "enabled", "true", "enabled", "bool_type"),
    (SMALL, "enabled", 1, "enabled", "bool_type"),
    (SMALL, "steps", [], "steps", "too_short"),
    (SMALL, "steps", [{**STEP, "id": str(n)} for n in range(11)], "steps", "too_long"),
    (SMALL, "steps.0.id", "a b", "steps.0.id", "string_pattern_mismatch"),
    (SMALL, "steps.0.id", "x" * 33, "steps.0.id", "string_pattern_mismatch"),
    (SMALL, "steps.0.campaign", "a/b", "steps.0.campaign", "string_pattern_mismatch"),
    (BODY, "steps.1.id", "hour", "steps.1.id", "repeated"),
    (SMALL, "steps.0.after", {}, "steps.0.after.minutes", "missing"),
    (SMALL, "steps.0.after", {"minutes": 1, "of": "night"}, "steps.0.after.of", "literal_error"),
    (SMALL, "steps.0.after", {"minutes": 1, "of": "previous"}, "steps.0.after.of", "no_previous"),
    (AT, "steps.0.after", {"minutes": 1}, "steps.0.at", "two_waits"),
    (AT, "steps.0.at.time", "24:30", "steps.0.at.time", "string_pattern_mismatch"),
    (AT, "steps.0.at.zone", "Europe/Prague", "steps.0.at.zone", "literal_error"),
    (SMALL, "steps.0.only", {"baskets": {}}, "steps.0.only.baskets", "unknown_condition"),
    (SMALL, "steps.0.wait", 1, "steps.0.wait", "unknown_key"),
    (SMALL, "if", {}, "if", "value_error"),
    (SMALL, "until", ["bought", "left"], "until.1", "literal_error"),
    (SMALL, "until", ["bought", "bought"], "until", "repeated"),
    (VIEWED, "until", ["emptied"], "until", "emptied_needs_basket"),
    (SMALL, "again", {"days": 1, "from": "exit"}, "again.from", "literal_error"),
    (SMALL, "again", {"hours": 1}, "again.hours", "unknown_key"),
    (SMALL, "steps.0.choose", {"take": 1}, "steps.0.choose.from", "missing"),
    (CHOOSE, "steps.0.choose.from", "best", "steps.0.choose.from", "literal_error"),
    (CHOOSE, "steps.0.choose.in", "tea", "steps.0.choose.in", "union_type"),
    (CHOOSE, "steps.0.choose.in", [], "steps.0.choose.in", "union_type"),
    (CHOOSE, "steps.0.choose.in", IDS, "steps.0.choose.in", "union_type"),
    (CHOOSE, "steps.0.choose.where", {}, "steps.0.choose.where", "value_error"),
    (CHOOSE, "steps.0.choose.where", {"stock": 1}, "steps.0.choose.where.stock", "unknown_key"),
    (CHOOSE, "steps.0.choose.else", "none", "steps.0.choose.else", "union_type"),
    (CHOOSE, "steps.0.choose.else", {"from": "x"}, "steps.0.choose.else.from", "literal_error"),
    (SMALL, "steps.0.choose", {"from": "viewed", "in": ["tea"]}, "steps.0.choose.in", "not_for_source"),
    (SMALL, "enter", "basket", "enter", "entry_type"),
    (SMALL, "enter", {}, "enter.on", "unknown_entry"),
    (SMALL, "enter", {"on": "baskets"}, "enter.on", "unknown_entry"),
    (SMALL, "enter", {"on": ["basket"]}, "enter.on", "unknown_entry"),
    (SMALL, "enter", {"on": "basket", "atLeast": 2}, "enter.atLeast", "unknown_key"),
    (VIEWED, "enter.items", [], "enter.items", "too_short"),
    (VIEWED, "enter.items", IDS, "enter.items", "too_long"),
    (VIEWED, "enter.categories", [""], "enter.categories.0", "too_short"),
    (SMALL, "enter", {"on": "category", "ids": ["undefined"]}, "enter.ids.0", "no_value"),
    (SMALL, "enter", {"on": "bought", "items": [LONG]}, "enter.items.0", "too_long"),
    (EVENT, "enter.type", "a b", "enter.type", "string_pattern_mismatch"),
    (EVENT, "enter.type", "purchase", "enter.type", "reserved_type"),
    (EVENT, "enter.type", "logout", "enter.type", "reserved_type"),
    (EVENT, "enter.type", "carillon.own", "enter.type", "reserved_type"),
    (EVENT, "enter.where", {}, "enter.where", "too_short"),
    (EVENT, "enter.where", dict.fromkeys("abcdef", 1), "enter.where", "too_long"),
    (EVENT, "enter.where", {"$gt": 1}, "enter.where.$gt", "string_pattern_mismatch"),
    (EVENT, "enter.where", {"a": None}, "enter.where.a", "union_type"),
    (EVENT, "enter.where", {"a": [1]}, "enter.where.a", "union_type"),
    (EVENT, "enter.where", {"a": 2**60}, "enter.where.a", "union_type"),
    (EVENT, "enter.where", {"a": "x" * 257}, "enter.where.a", "union_type"),
    (EVENT, "enter.key", "a.b", "enter.key", "string_pattern_mismatch"),
    (EVENT, "enter.key", "x" * 65, "enter.key", "string_pattern_mismatch"),
    (DAILY, "enter.at", "7:00", "enter.at", "string_pattern_mismatch"),
    (DAILY, "enter.days", [], "enter.days", "too_short"),
    (DAILY, "enter.days", ["mo", "mo"], "enter.days", "repeated"),
    (DAILY, "enter.days", ["monday"], "enter.days.0", "literal_error"),
    (DAILY, "enter.zone", "shop", "enter.zone", "literal_error"),
    (SMALL, "enter", {"on": "daily"}, "enter.at", "missing"),
    (SMALL, "enter", {"on": "once", "at": "2027-01-31T10:00:00"}, "enter.at", "time_zone_missing"),
    (SMALL, "enter", {"on": "once", "at": "soon"}, "enter.at", "datetime_from_date_parsing"),
    (SMALL, "enter", {"on": "segment", "at": "10:00"}, "if", "segment_needs_if"),
    (DAILY, "steps.0.after", {"minutes": 5, "of": "silence"}, "steps.0.after.of", "silence_needs_moment"),
    (SMALL, "untl", [], "untl", "unknown_key"),
]  # fmt: skip
TAKEN: list[tuple[dict[str, Any], str, Any]] = [
    (SMALL, "name", "x" * 128),
    (SMALL, "steps", [{**STEP, "id": str(n)} for n in range(10)]),
    (SMALL, "steps.0.id", "x" * 32),
    (SMALL, "until", []),
    (SMALL, "until", ["bought", "emptied", "clicked"]),
    (VIEWED, "enter.items", IDS[:100]),
    (EVENT, "enter.where", {"a": 1, "b": "x" * 256, "c": True, "d": 0.5, "e": -(2**53)}),
    (EVENT, "enter.key", "x" * 64),
    (DAILY, "enter.days", ["su", "mo", "tu", "we", "th", "fr", "sa"]),
    (CHOOSE, "steps.0.choose.in", IDS[:100]),
    (CHOOSE, "steps.0.choose.in", "lastCategory"),
]


@pytest.mark.parametrize(("body", "path", "least", "most"), WHOLE)
def test_whole_numbers_have_bounds(body: dict[str, Any], path: str, least: int, most: int) -> None:
    for good in (least, most):
        read_scenario(with_value(body, path, good))
    for bad, code in (
        (least - 1, "greater_than_equal"), (most + 1, "less_than_equal"), (True, "int_type"),
        (f"{most}", "int_type"), (least + 0.5, "int_type"),
    ):  # fmt: skip
        assert errors_of(with_value(body, path, bad)) == [(f"body.{path}", code)], bad


@pytest.mark.parametrize(("body", "path", "value", "field", "code"), REFUSED)
def test_what_is_wrong_is_named_by_path(
    body: dict[str, Any], path: str, value: Any, field: str, code: str
) -> None:
    assert errors_of(with_value(body, path, value)) == [(f"body.{field}", code)]


@pytest.mark.parametrize(("body", "path", "value"), TAKEN)
def test_what_is_within_bounds_is_taken(body: dict[str, Any], path: str, value: Any) -> None:
    read_scenario(with_value(body, path, value))


def test_required_fields() -> None:
    missing = [(f"body.{name}", "missing") for name in ("name", "enter", "steps")]
    assert errors_of({}) == missing
