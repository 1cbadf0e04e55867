"""Records of `carillon.moments`: their shape is pinned, later kinds are passed over, errors name fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import orjson
import pytest

from shared.errors import InvalidPayload
from shared.kafka.topics import DAY_MS, MOMENTS_TOPIC
from shared.models.facts import (
    KINDS,
    BasketChanged,
    Bought,
    CategorySeen,
    CustomEvent,
    Erased,
    Fact,
    FactLine,
    Identified,
    Joined,
    Separated,
    Subscribed,
    Viewed,
)
from shared.models.person_moment import PersonMoment, dump_moment

AT = datetime(2026, 11, 22, 16, 0, 0, 125_000, tzinfo=UTC)
LINES = [FactLine("shoe", 2, 9.5), FactLine("hat", 1)]
EVERY: list[tuple[Fact, dict[str, Any]]] = [
    (Viewed("e", AT, "shoe", "shoes"), {"item": "shoe", "category": "shoes"}),
    (CategorySeen("e", AT, "shoes"), {"category": "shoes"}),
    (
        BasketChanged("e", AT, LINES[1:], None, "EUR"),
        {
            "items": [{"item": "hat", "quantity": 1, "price": None}],
            "total": None,
            "currency": "EUR",
        },
    ),
    (
        Bought("e", AT, "o1", LINES[:1], "server", 19, "EUR"),
        {
            "order": "o1",
            "items": [{"item": "shoe", "quantity": 2, "price": 9.5}],
            "source": "server",
            "revenue": 19,
            "currency": "EUR",
        },
    ),
    (Identified("e", AT), {}),
    (Subscribed("e", AT), {}),
    (CustomEvent("e", AT, "quiz", {"a": None}), {"type": "quiz", "data": {"a": None}}),
    (Joined("e", AT, "p0"), {"was": "p0"}),
    (Separated("e", AT, "p0"), {"was": "p0"}),
    (Erased("e", AT), {}),
]


def written(*facts: Fact) -> bytes:
    return dump_moment("demo", "p1", facts, seen_at=AT, zone="Europe/Prague", subscribed=2)


def test_topic_is_as_pinned() -> None:
    assert MOMENTS_TOPIC.name == "carillon.moments"
    assert (MOMENTS_TOPIC.partitions, MOMENTS_TOPIC.retention_ms) == (6, 7 * DAY_MS)
    assert MOMENTS_TOPIC.groups == ("carillon.scenarios",)


def test_record_is_as_pinned() -> None:
    assert orjson.loads(written()) == {
        "v": 1,
        "app": "demo",
        "person": "p1",
        "seenAt": "2026-11-22T16:00:00.125000Z",
        "zone": "Europe/Prague",
        "subscribed": 2,
        "facts": [],
    }


@pytest.mark.parametrize(("fact", "fields"), EVERY, ids=lambda value: getattr(value, "kind", ""))
def test_fact_is_as_pinned_and_read_as_it_was(fact: Fact, fields: dict[str, Any]) -> None:
    raw = written(fact)
    common = {"id": "e", "at": "2026-11-22T16:00:00.125000Z", "kind": fact.kind}
    assert orjson.loads(raw)["facts"] == [common | fields]
    read = PersonMoment.parse(raw)
    assert read.facts == [fact] and read.seen_at == AT
    assert PersonMoment.parse(read.dump()) == read


def test_every_kind_is_tried() -> None:
    assert {type(fact) for fact, _ in EVERY} == set(get_args(Fact))
    assert {fact.kind for fact, _ in EVERY} == KINDS


def test_later_kinds_and_keys_are_passed_over() -> None:
    moment = orjson.loads(written(Identified("e", AT)))
    moment["facts"] += [{"id": "f", "at": "?", "kind": "dreamt", "of": ["a", "sheep"]}]
    moment["facts"][0]["later"] = moment["later"] = {"more": 1}
    assert PersonMoment.parse(orjson.dumps(moment)).facts == [Identified("e", AT)]


@pytest.mark.parametrize(
    ("fact", "field"),
    [
        ({"id": "e", "kind": "viewed", "at": "yesterday", "item": "i"}, "facts.0.viewed.at"),
        ({"id": "e", "kind": "viewed", "at": "2026-11-22T16:00:00Z"}, "facts.0.viewed.item"),
        ({"id": "e", "kind": 5}, "facts.0"),
        ({"id": "e"}, "facts.0"),
        ("viewed", "facts.0"),
    ],
)
def test_error_names_the_field(fact: object, field: str) -> None:
    moment = orjson.loads(written()) | {"facts": [fact]}
    with pytest.raises(InvalidPayload) as raised:
        PersonMoment.parse(orjson.dumps(moment))
    assert [error.field for error in raised.value.errors] == [field]


@pytest.mark.parametrize("name", ["app", "person"])
def test_record_of_nobody_is_refused(name: str) -> None:
    moment = orjson.loads(written())
    del moment[name]
    with pytest.raises(InvalidPayload, match=name):
        PersonMoment.parse(orjson.dumps(moment))
