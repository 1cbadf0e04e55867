"""Strategies of scenario bodies, as people may write them: valid ones of every kind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from sender_service.models.scenario.entry_rules import WEEKDAYS

Body = dict[str, Any]
Strategy = st.SearchStrategy[Any]
WORDS = st.text("abcxyz019_-", min_size=1, max_size=8)
IDS = st.lists(st.text("ěščabc 12/", min_size=1).map(lambda t: f"i{t}i"), min_size=1, max_size=4)
CLOCK = st.sampled_from(["00:00", "07:30", "17:05", "23:59", "24:00"])
ZONE = st.sampled_from(["app", "person"])
RANGE = st.sampled_from([{"atLeast": 5}, {"moreThan": 0.5, "lessThan": 90}, {"atMost": 3.0}])
CONDITION: Strategy = st.recursive(
    st.sampled_from(
        [
            {"basket": {"total": {"atLeast": 20}}}, {"known": "login"}, {"language": ["cs", "de"]},
            {"lastSeen": {"olderThan": {"days": 30}, "within": {"days": 90}}},
            {"bought": {"count": {"atLeast": 2}, "within": {"hours": 3, "minutes": 1}}},
            {"viewed": {"items": ["1", "ž"], "last": True}}, {"category": {}},
        ]
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda c: {"and": c}),
        st.lists(inner, min_size=1, max_size=3).map(lambda c: {"or": c}),
        inner.map(lambda c: {"not": c}),
    ),
    max_leaves=6,
)  # fmt: skip
SCALAR = st.one_of(
    st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9), st.text(max_size=9)
)
ZONES = st.sampled_from([UTC, ZoneInfo("Europe/Prague"), ZoneInfo("Asia/Kolkata")])
MOMENT = st.datetimes(datetime(2001, 1, 1), datetime(2286, 1, 1), timezones=ZONES).map(
    lambda at: at.isoformat()
)


def with_some(required: dict[str, Strategy], optional: dict[str, Strategy]) -> Strategy:
    return st.fixed_dictionaries(required, optional=optional)


def entries() -> Strategy:
    kinds: dict[str, tuple[dict[str, Strategy], dict[str, Strategy]]] = {
        "basket": ({}, {}),
        "viewed": ({}, {"items": IDS, "categories": IDS, "atLeast": st.integers(1, 10)}),
        "category": ({}, {"ids": IDS}),
        "bought": ({}, {"items": IDS, "categories": IDS}),
        "identified": ({}, {}),
        "subscribed": ({}, {}),
        "event": (
            {"type": WORDS.map(lambda word: f"e{word}")},
            {"where": st.dictionaries(WORDS, SCALAR, min_size=1, max_size=5), "key": WORDS},
        ),
        "daily": (
            {"at": CLOCK},
            {"days": st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(list), "zone": ZONE},
        ),
        "once": ({"at": MOMENT}, {}),
        "segment": ({"at": CLOCK}, {}),
        "newIn": ({"at": CLOCK}, {"days": st.integers(1, 30)}),
        "priceDrop": ({}, {"percent": st.integers(1, 90), "viewedWithin": st.integers(1, 30)}),
        "backInStock": ({}, {"viewedWithin": st.integers(1, 30)}),
    }
    return st.sampled_from(list(kinds)).flatmap(
        lambda on: with_some({"on": st.just(on), **kinds[on][0]}, kinds[on][1])
    )


def choices(deep: int = 2) -> Strategy:
    where = st.fixed_dictionaries(
        {"price": RANGE}, optional={"discountPercent": RANGE, "brand": IDS}
    )
    words = st.sampled_from(["skip", "without"])
    others: Strategy = words if deep == 0 else st.one_of(words, choices(deep - 1))
    more = {"where": where, "take": st.integers(1, 5), "else": others}
    plain: Strategy = st.sampled_from(["entry", "viewed", "basket", "bought", "alsoBought"])
    tables = st.sampled_from(["bestSellers", "hotDeals", "newIn"])
    within = st.one_of(st.sampled_from(["entry", "lastCategory"]), IDS)
    return st.one_of(
        with_some({"from": plain}, more), with_some({"from": tables}, {**more, "in": within})
    )


@st.composite
def steps(draw: st.DrawFn, *, is_of_moment: bool) -> list[Body]:
    found: list[Body] = []
    for n in range(draw(st.integers(1, 4))):
        of = ["entry"] + ["previous"] * (n > 0) + ["silence"] * is_of_moment
        after = with_some({"minutes": st.integers(0, 20_000)}, {"of": st.sampled_from(of)})
        at = with_some({"time": CLOCK}, {"days": st.integers(0, 14), "zone": ZONE})
        wait = draw(
            st.one_of(st.just({}), after.map(lambda w: {"after": w}), at.map(lambda w: {"at": w}))
        )
        more = draw(with_some({}, {"only": CONDITION, "choose": choices()}))
        found.append(
            {"id": f"s{n}", "campaign": draw(WORDS.map(lambda w: f"c{w}")), **wait, **more}
        )
    return found


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    """Draw a body that `PUT` takes."""
    enter = draw(entries())
    is_of_moment = enter["on"] in (
        "basket", "viewed", "category", "bought", "identified", "subscribed", "event",
    )  # fmt: skip
    exits = ["bought", "clicked"] + ["emptied"] * (enter["on"] == "basket")
    again = with_some(
        {}, {"days": st.integers(0, 3650), "from": st.sampled_from(["push", "entry"])}
    )
    optional = {
        "enabled": st.booleans(), "priority": st.integers(1, 100), "again": again,
        "until": st.sets(st.sampled_from(exits)).map(list),
        "maxLate": st.integers(5, 1440), "spread": st.integers(0, 720),
    }  # fmt: skip
    needed = {"name": st.text(min_size=1, max_size=20)}
    (needed if enter["on"] == "segment" else optional)["if"] = CONDITION
    body: Body = draw(with_some(needed, optional))
    return {**body, "enter": enter, "steps": draw(steps(is_of_moment=is_of_moment))}
