"""The language of segments: what it takes, what it names when it refuses, what it never lets through."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sender_service.models.segment import MAX_CONDITIONS, MAX_SEGMENT_DEPTH, BoundedSegment, Segment
from sender_service.models.trigger import Trigger, parse_trigger
from sender_service.planner.segment_filter import to_filter
from shared.errors import InvalidPayload
from tests.support.builders import SEND
from tests.support.clocks import START

PARSER: TypeAdapter[Segment] = TypeAdapter(BoundedSegment)
OURS = {"$and", "$or", "$nor", "$in", "$gt", "$gte", "$lt", "$lte", "$exists", "$elemMatch"}


def _parse(segment: Any) -> Trigger | InvalidPayload:
    body = {"id": SEND, "app": "demo", "campaign": "welcome", "audience": {"segment": segment}}
    return parse_trigger(json.dumps(body).encode())[1]


def _filter(segment: Any) -> dict[str, Any]:
    return to_filter(PARSER.validate_python(segment), START)


@pytest.mark.parametrize(
    ("segment", "field"),
    [
        (5, "audience.segment"),
        ([], "audience.segment"),
        ({}, "audience.segment"),
        ({"viewed": {}, "bought": {}}, "audience.segment"),
        ({"$where": "1"}, "audience.segment.$where"),
        ({"and": []}, "audience.segment.and"),
        ({"and": {}}, "audience.segment.and"),
        ({"and": [{"viewed": {}}, {"vieved": {}}]}, "audience.segment.and.1.vieved"),
        ({"not": None}, "audience.segment.not"),
        ({"or": [{"not": {"bought": {"items": []}}}]}, "audience.segment.or.0.not.bought.items"),
        ({"viewed": {"within": {"days": "3"}}}, "audience.segment.viewed.within.days"),
        ({"viewed": {"within": {"days": -3}}}, "audience.segment.viewed.within.days"),
        ({"viewed": {"within": {}}}, "audience.segment.viewed.within"),
        ({"viewed": {"within": {"days": 3651}}}, "audience.segment.viewed.within"),
        ({"viewed": {"within": {"weeks": 1}}}, "audience.segment.viewed.within.weeks"),
        (
            {"viewed": {"olderThan": {"days": 1}, "within": {"hours": 24}}},
            "audience.segment.viewed",
        ),
        ({"viewed": {"items": "1"}}, "audience.segment.viewed.items"),
        ({"viewed": {"items": [{"$ne": 1}]}}, "audience.segment.viewed.items.0"),
        ({"viewed": {"items": {"$ne": 1}}}, "audience.segment.viewed.items"),
        ({"viewed": {"items": [True]}}, "audience.segment.viewed.items.0"),
        ({"viewed": {"item": "1"}}, "audience.segment.viewed.item"),
        ({"viewed": {"last": False}}, "audience.segment.viewed.last"),
        ({"basket": {"total": {"$gte": 5}}}, "audience.segment.basket.total.$gte"),
        ({"basket": {"total": {}}}, "audience.segment.basket.total"),
        ({"basket": {"total": 5}}, "audience.segment.basket.total"),
        ({"basket": {"total": {"atLeast": "5"}}}, "audience.segment.basket.total.atLeast"),
        ({"basket": {"lines": {"atLeast": 0}}}, "audience.segment.basket.lines.atLeast"),
        ({"bought": {"count": {"atLeast": 51}}}, "audience.segment.bought.count.atLeast"),
        ({"bought": {"count": {"atMost": 1}, "items": ["1"]}}, "audience.segment.bought"),
        ({"lastSeen": {}}, "audience.segment.lastSeen"),
        ({"language": "cs"}, "audience.segment.language"),
        ({"language": [""]}, "audience.segment.language.0"),
        ({"known": "password"}, "audience.segment.known"),
        ({"email": ["ann@shop.test"]}, "audience.segment.email"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(segment: Any, field: str) -> None:
    error = _parse(segment)
    assert isinstance(error, InvalidPayload)
    assert [found.field for found in error.errors] == [field]


def _nested(depth: int) -> dict[str, Any]:
    segment: dict[str, Any] = {"known": "login"}
    for _ in range(depth - 1):
        segment = {"not": segment}
    return segment


@pytest.mark.parametrize(
    ("fitting", "too_much"),
    [
        (_nested(MAX_SEGMENT_DEPTH), _nested(MAX_SEGMENT_DEPTH + 1)),
        (
            {"and": [{"known": "login"}] * (MAX_CONDITIONS - 1)},
            {"and": [{"known": "login"}] * MAX_CONDITIONS},
        ),
        (
            {"or": [{"language": ["cs"] * 100}] * 5},
            {"or": [{"language": ["cs"] * 100}] * 5 + [{"language": ["cs"]}]},
        ),
    ],
)
def test_size_has_limits(fitting: Any, too_much: Any) -> None:
    assert isinstance(_parse(fitting), Trigger)
    error = _parse(too_much)
    assert isinstance(error, InvalidPayload)
    assert error.errors[0].field == "audience.segment" and "at most" in error.message


def test_nesting_without_end_is_refused_and_not_fatal() -> None:
    assert isinstance(_parse(_nested(300)), InvalidPayload)
    assert isinstance(_parse({"and": [{"or": [_nested(300)]}]}), InvalidPayload)


def test_what_is_stored_with_the_send_is_read_as_the_same() -> None:
    segment = {"or": [{"basket": {"total": {"atLeast": 5}}}, {"not": {"viewed": {"items": [7]}}}]}
    trigger = _parse(segment)
    assert isinstance(trigger, Trigger)
    assert Trigger.model_validate(trigger.document()) == trigger


def test_the_moment_of_the_send_decides_what_is_within() -> None:
    assert _filter(
        {"lastSeen": {"within": {"days": 1, "hours": 12}, "olderThan": {"minutes": 5}}}
    ) == {
        "lastSeenAt": {
            "$gte": datetime.fromisoformat("2026-10-31T00:00:00+00:00"),
            "$lt": datetime.fromisoformat("2026-11-01T11:55:00+00:00"),
        }
    }


def _operators(query: Any) -> Iterator[str]:
    if isinstance(query, dict):
        yield from (key for key in query if key.startswith("$"))
        for value in query.values():
            yield from _operators(value)
    elif isinstance(query, list):
        for value in query:
            yield from _operators(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 60) | st.sampled_from(["$gt", "$where", "cs", ""]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["and", "or", "not", "viewed", "basket", "bought", "language", "items", "within", "days",
             "total", "atLeast", "$gt", "$where", "$expr", "$regex", "lastSeen", "a.b"]
        ),
        inner, max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_no_operator_comes_from_outside(segment: Any) -> None:
    # Any input is refused, or becomes a query of our own operators on our own fields.
    trigger = _parse(segment)
    if isinstance(trigger, Trigger):
        assert set(_operators(_filter(segment))) <= OURS


def test_texts_stay_texts() -> None:
    query = _filter({"and": [{"language": ["$ne"]}, {"viewed": {"items": ["$where", "1); x"]}}]})
    assert query["$and"][1] == {"viewed": {"$elemMatch": {"item": {"$in": ["$where", "1); x"]}}}}
    assert query["$and"][0]["$or"][0] == {"language": {"$in": ["$ne"]}}


def _examples() -> list[Any]:
    text = (Path(__file__).parents[3] / "docs" / "segments.md").read_text()
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize("example", _examples())
def test_examples_of_the_documentation_are_taken(example: dict[str, Any]) -> None:
    segment = example["audience"]["segment"] if "audience" in example else example
    assert isinstance(_parse(segment), Trigger)
