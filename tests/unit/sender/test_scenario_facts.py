"""Facts of moments: whom they make enter, and the profile that is folded from them alone."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sender_service.models.decide.decide import decide
from sender_service.models.decide.decision import Enter
from sender_service.models.decide.entry_facts import find_entries
from sender_service.models.decide.folding import fold_profile
from sender_service.models.decide.person import Person
from sender_service.models.decide.world import EMPTY_WORLD, Product, World
from sender_service.models.scenario.entry_rules import (
    EntryRule,
    OnBasket,
    OnBought,
    OnCategory,
    OnDaily,
    OnEvent,
    OnIdentified,
    OnSubscribed,
    OnViewed,
)
from sender_service.models.scenario.run import Entry
from shared.documents.profile import Profile
from shared.models.event import Event
from shared.models.facts import (
    BasketChanged,
    Bought,
    CategorySeen,
    CustomEvent,
    Erased,
    Fact,
    FactLine,
    Identified,
    Subscribed,
    Viewed,
)
from shared.models.person_moment import PersonMoment
from tests.support.clocks import START
from tests.support.documents import build_profile
from tests.support.projector_doubles import event
from tests.unit.ingest.moment_harness import MomentHarness
from tests.unit.sender.scenario_builders import DAY, HOUR, MINUTE, rules_of, scenario


def moment(*facts: Fact, **fields: Any) -> PersonMoment:
    return PersonMoment.model_validate(
        {"app": "demo", "person": "p-1", "seenAt": START, "facts": list(facts), **fields}
    )


def entries(rule: EntryRule, *facts: Fact, **fields: Any) -> list[Entry]:
    profile: Profile = fields.pop("profile", build_profile("p-1"))
    world = fields.pop("world", EMPTY_WORLD)
    return find_entries(rule, moment(*facts, **fields), profile, world)


def lines(*items: str) -> list[FactLine]:
    return [FactLine(item, 1, 5.0) for item in items]


BASKET = BasketChanged("e-1", START, lines("tea", "cup"))
ORDER = Bought("e-2", START, "o-1", lines("tea"), "page")
CART = CustomEvent("e-3", START, "ticket", {"id": 7, "level": 1, "vip": True, "deep": {}})


def test_basket_enters_while_a_line_is_in_it() -> None:
    found = Entry(at=START, event="e-1", count=2, items=("tea", "cup"))
    assert entries(OnBasket(), BASKET, ORDER) == [found]
    assert entries(OnBasket(), BasketChanged("e-1", START, [])) == []
    assert entries(OnBasket(), BasketChanged("e-1", START, [FactLine("tea", 0)])) == []


def test_views_are_counted_over_a_week_by_different_items() -> None:
    view = Viewed("e-1", START, "tea", "drinks")
    seen = [
        {"item": item, "category": "drinks", "at": at}
        for item, at in (
            ("late", START + MINUTE), ("tea", START), ("cup", START - 6 * DAY),
            ("pot", START - 8 * DAY),
        )
    ]  # fmt: skip
    profile = build_profile("p-1", viewed=seen)
    (found,) = entries(OnViewed(at_least=2), view, profile=profile)
    assert (found.count, found.items) == (2, ("tea", "cup"))
    assert entries(OnViewed(at_least=3), view, profile=profile) == []
    assert entries(OnViewed(items=("cup",)), view, profile=profile) == []
    for rule in (OnViewed(categories=("drinks",)), OnViewed(items=("tea",), categories=("x",))):
        assert entries(rule, view)[0].items == ("tea",)


def test_orders_enter_by_item_or_by_category_and_have_a_key() -> None:
    assert entries(OnBought(), ORDER)[0].key == "o-1"
    assert entries(OnBought(items=("cup",)), ORDER) == []
    assert entries(OnBought(items=("tea",)), ORDER)[0].items == ("tea",)
    by_category = OnBought(categories=("drinks",))
    assert entries(by_category, ORDER) == []
    tea = Product(id="tea", price=5, currency="EUR", in_stock=True, categories=("drinks",))
    assert len(entries(by_category, ORDER, world=World(products={"tea": tea}))) == 1


@pytest.mark.parametrize(
    ("rule", "keys"),
    [
        (OnEvent(type="ticket"), [None]),
        (OnEvent(type="other"), []),
        (OnEvent(type="ticket", where=(("level", 1), ("vip", True))), [None]),
        (OnEvent(type="ticket", where=(("level", True),)), []),
        (OnEvent(type="ticket", where=(("none", "x"),)), []),
        (OnEvent(type="ticket", key="id"), ["7"]),
        (OnEvent(type="ticket", key="deep"), []),
        (OnEvent(type="ticket", key="none"), []),
        (OnDaily(at=START.time()), []),
    ],
)
def test_own_events_enter_by_their_data(rule: EntryRule, keys: list[str | None]) -> None:
    assert [entry.key for entry in entries(rule, CART)] == keys


def test_first_player_enters_and_further_ones_do_not() -> None:
    new = Subscribed("e-1", START)
    assert len(entries(OnSubscribed(), new, subscribed=1)) == 1
    assert entries(OnSubscribed(), new, subscribed=2) == []
    assert entries(OnSubscribed(), new, subscribed=0) == []
    assert len(entries(OnSubscribed(), new, Subscribed("e-2", START), subscribed=2)) == 2
    assert len(entries(OnIdentified(), Identified("e-1", START))) == 1
    assert len(entries(OnCategory(ids=("a",)), CategorySeen("e-1", START, "a"))) == 1
    assert entries(OnCategory(ids=("b",)), CategorySeen("e-1", START, "a")) == []


def random_event(random: Random, number: int) -> Event:
    item, kind = random.choice("abc"), random.randrange(4)
    if kind == 0:
        return event("pageview", "v", number, itemID=item, categoryID=random.choice("xy"))
    if kind == 1:
        basket = [{"item": one, "quantity": 1, "price": 5} for one in "abc"[: random.randrange(4)]]
        return event("pageview", "v", number, basketItems=basket, currency="EUR")
    if kind == 2:
        return event("addToBasket", "v", number, itemID=item, quantity=1, price=5)
    bought = [{"item": item, "quantity": 1, "price": 5}]
    return event("purchase", "v", number, id=f"o-{number}", items=bought, revenue=5)


@pytest.mark.parametrize("seed", range(25))
async def test_case_52_folded_moments_are_the_profile_as_far_as_facts_show(seed: int) -> None:
    random, harness = Random(seed), MomentHarness()
    moments: list[PersonMoment] = []
    events = [random_event(random, number) for number in range(1, 30)]
    while events:
        size = random.randint(1, 5)
        moments += (await harness.moments(*events[:size])).values()
        events = events[size:]
        (stored,) = harness.profiles().values()
        folded = fold_profile(moments)
        for name in ("_id", "app", "slot", "lastSeenAt", "timeZone", "viewed", "categories"):
            assert folded[name] == stored[name], name
        assert folded["basket"]["items"] == stored["basket"]["items"]
        orders = [(one["id"], one["at"], one["items"]) for one in stored["purchases"]]
        assert [(one["id"], one["at"], one["items"]) for one in folded["purchases"]] == orders


def test_fold_keeps_todays_language_and_what_came_after_an_erasure() -> None:
    today = build_profile("p-1", language="cs", tags={"vip": True}, login="ann")
    early, late = Viewed("e-1", START, "tea"), Viewed("e-3", START + HOUR, "cup")
    gone = Erased("e-2", START + MINUTE)
    folded = fold_profile([moment(early, gone), moment(late, zone="Asia/Tokyo")], today)
    assert [view["item"] for view in folded["viewed"]] == ["cup"]
    assert (folded["language"], folded["login"], folded["timeZone"]) == ("cs", "ann", "Asia/Tokyo")
    assert folded["lastSeenAt"] == START + HOUR


def test_order_is_at_its_earliest_time_and_empties_the_basket_as_of_then() -> None:
    page = Bought("e-2", START + HOUR, "o-1", lines("tea"), "page", revenue=5)
    server = Bought("e-3", START + MINUTE, "o-1", lines("tea"), "server", revenue=6)
    refilled = BasketChanged("e-4", START + 2 * MINUTE, lines("cup"))
    folded = fold_profile([moment(page), moment(server, refilled)])
    assert [order["at"] for order in folded["purchases"]] == [START + MINUTE]
    assert [line["item"] for line in folded["basket"]["items"]] == ["cup"]
    emptied = fold_profile([moment(BASKET, server)])["basket"]
    assert emptied["items"] == []


def test_entry_of_a_moment_is_decided_on_with_its_fold() -> None:
    rules = rules_of(scenario())
    entered = moment(BASKET)
    person = Person.of(fold_profile([entered]))
    (entry,) = find_entries(rules.own.entry, entered, person.profile, EMPTY_WORLD)
    assert decide(person, entry, rules, EMPTY_WORLD, START, "entry") == Enter(START + HOUR)
