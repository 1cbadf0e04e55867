"""Choice of the items that a push is about, without and with a catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sender_service.models.decide.decision import Push, Skip
from sender_service.models.decide.world import EMPTY_WORLD, Product, World
from sender_service.models.scenario.entry_rules import OnBought, OnViewed
from sender_service.models.scenario.run import Entry, ItemClaim, RunPush
from sender_service.models.scenario.scenario import Choose
from shared.documents.profile import Profile
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import (
    DAY,
    HOUR,
    line,
    order,
    person_with,
    plan,
    profile_with,
    rules_of,
    run_of,
    scenario,
    step,
)

VIEWS: Any = [
    {"item": item, "category": None, "at": START - n * HOUR} for n, item in enumerate("abc")
]
ENTRY = Entry(at=START, event="e-1", key="o-1", count=2, items=("tea", "cup"))


def chosen(
    choose: Choose, profile: Profile, world: World = EMPTY_WORLD, **fields: Any
) -> Push | Skip:
    """Return what planning finds for a step with this choice."""
    own = scenario(step(choose=choose), entry=fields.pop("rule", OnViewed()), until=())
    run = replace(run_of(own, entry=ENTRY), **fields)
    person = person_with(run, profile=profile)
    found = plan(run, START + HOUR, person, rules_of(own), world=world)
    assert isinstance(found, Push | Skip)
    return found


def items(found: Push | Skip) -> list[str]:
    assert isinstance(found, Push)
    assert [claim.item for claim in found.about] == [one["id"] for one in found.variables["items"]]
    return [claim.item for claim in found.about]


def test_views_are_taken_newest_first_and_lines_dearest_first() -> None:
    viewed = profile_with(line("x"), viewed=VIEWS)
    assert items(chosen(Choose(source="viewed", take=5), viewed)) == ["a", "b", "c"]
    assert items(chosen(Choose(source="viewed"), viewed)) == ["a"]
    lines = [line("dear", 30), line("two", 20, 2), line("free", 0), line("b", 30), line("no", None)]
    basket = chosen(Choose(source="basket", take=5), profile_with(*lines))
    assert items(basket) == ["two", "b", "dear", "free", "no"]
    assert isinstance(basket, Push)
    assert basket.variables["item"] == {
        "id": "two", "quantity": 2, "price": 20, "currency": "EUR",
    }  # fmt: skip
    assert basket.variables["entry"] == {
        "at": "2026-11-01T12:00:00.000Z", "count": 2, "items": ["tea", "cup"],
    }  # fmt: skip
    assert basket.about[0] == ItemClaim(item="two", price=None)  # nothing proves the price


def test_items_of_the_entry_have_their_own_order() -> None:
    assert items(chosen(Choose(source="entry", take=2), profile_with(line("x")))) == ["tea", "cup"]
    bought = profile_with(line("x"), purchases=[order(START, "cup", "tea", id="o-1")])
    for source in ("entry", "bought"):
        choose = Choose(source=source, take=2)
        assert set(items(chosen(choose, bought, rule=OnBought()))) == {"tea", "cup"}


def test_what_is_bought_in_the_basket_or_pushed_is_left_out() -> None:
    choose = Choose(source="viewed", take=3)
    bought = profile_with(line("x"), viewed=VIEWS, purchases=[order(START - 90 * DAY, "a")])
    assert items(chosen(choose, bought)) == ["b", "c"]
    assert items(chosen(choose, profile_with(line("b"), viewed=VIEWS))) == ["a", "c"]
    viewed = profile_with(line("x"), viewed=VIEWS)
    for age, left in ((6 * DAY, ["a", "b"]), (8 * DAY, ["a", "b", "c"])):
        push = RunPush(step="hour", firing="f-0", at=START + HOUR - age, items=("c",))
        assert items(chosen(choose, viewed, pushes=(push,))) == left


def test_nothing_to_offer_is_skipped_replaced_or_pushed_without() -> None:
    nothing = profile_with(line("x"))
    views = Choose(source="viewed")
    assert chosen(views, nothing) == Skip("hour", "nothing_to_offer")
    without = chosen(replace(views, otherwise="without"), nothing)
    assert isinstance(without, Push) and without.about == ()
    assert "item" not in without.variables and without.variables["items"] == []
    other = replace(views, otherwise=Choose(source="basket"))
    assert items(chosen(other, nothing)) == ["x"]
    assert chosen(Choose(source="bestSellers"), nothing) == Skip("hour", "nothing_to_offer")


def product(id: str, **fields: Any) -> Product:
    return Product(**{"id": id, "price": 9.0, "currency": "EUR", "in_stock": True, **fields})


def test_catalogue_leaves_out_what_it_lacks_and_one_of_a_group() -> None:
    viewed = profile_with(line("x"), viewed=VIEWS)
    choose = Choose(source="viewed", take=3)
    known = {"a": product("a", group="g"), "b": product("b", group="g", texts={"title": "B"})}
    world = World(products=known, seen_at=START)
    found = chosen(choose, viewed, world)
    assert items(found) == ["a"] and isinstance(found, Push)
    assert found.about == (ItemClaim(item="a", price=9.0),)
    sold_out = World(products={**known, "a": product("a", in_stock=False)}, seen_at=START)
    found = chosen(choose, viewed, sold_out)
    assert items(found) == ["b"] and isinstance(found, Push)
    assert found.variables["item"]["title"] == "B"
    stale = World(products=known, seen_at=START - 2 * DAY)
    assert chosen(choose, viewed, stale) == Skip("hour", "nothing_to_offer")
    table = World(products=known, seen_at=START, tables={"bestSellers": ["z", "b", "a"]})
    assert items(chosen(Choose(source="bestSellers", take=2), viewed, table)) == ["b"]
