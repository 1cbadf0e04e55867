"""Moments: a batch's facts about each person, once their profiles are stored."""

from __future__ import annotations

from shared.models.event import Event
from shared.models.facts import (
    BasketChanged,
    Bought,
    CategorySeen,
    CustomEvent,
    FactLine,
    Identified,
    Joined,
    Subscribed,
    Viewed,
)
from tests.support.projector_doubles import event, one_signal
from tests.unit.ingest.moment_harness import MomentHarness, at, kinds, of_kind

P = "11111111-1111-4111-8111-111111111111"
Q = "22222222-2222-4222-8222-222222222222"


def by_server(given: Event) -> Event:
    return given.model_copy(update={"source": "server"})


async def test_page_is_a_view_and_a_category() -> None:
    history = MomentHarness()
    page = event("pageview", "phone", 1, itemID="shoe", hierarchyID=["all", "shoes"])
    page = page.model_copy(update={"context": {"timeZone": "Europe/Prague"}})
    (moment,) = (await history.moments(page, one_signal("phone", 2, P))).values()
    assert (moment.app, moment.person) == ("demo", history.born("phone"))
    assert (moment.seen_at, moment.zone, moment.subscribed) == (at(2), "Europe/Prague", 1)
    assert moment.facts == [
        Viewed("phone-1", at(1), "shoe", "shoes"),
        CategorySeen("phone-1", at(1), "shoes"),
        Subscribed("phone-2", at(2)),
    ]


async def test_batch_is_one_call_and_a_person_one_record() -> None:
    history = MomentHarness()
    login = [event("identify", name, 1, login="eva") for name in ("phone", "desk")]
    views = [event("pageview", name, 2, itemID=name) for name in ("phone", "desk", "other")]
    found = await history.moments(*login, *views)
    assert len(history.calls) == 1
    assert set(found) == {history.eva, history.born("other")}
    assert [f.item for f in found[history.eva].facts if isinstance(f, Viewed)] == ["phone", "desk"]


async def test_person_of_a_fact_is_the_epochs_owner_after_the_batch() -> None:
    history = MomentHarness()
    found = await history.moments(
        event("pageview", "phone", 1, itemID="hat"),
        event("identify", "phone", 2, login="eva"),
        event("pageview", "phone", 3, itemID="shoe"),
        event("logout", "phone", 4),
        event("pageview", "phone", 5, itemID="ring"),
    )
    assert set(found) == {history.eva, history.born("phone", "phone-4")}
    assert kinds(found[history.eva]) == ["viewed", "joined", "identified", "viewed"]
    assert of_kind(found[history.eva], "joined") == Joined("phone-2", at(2), history.born("phone"))
    assert of_kind(found[history.eva], "identified") == Identified("phone-2", at(2))
    (ring,) = found[history.born("phone", "phone-4")].facts
    assert ring == Viewed("phone-5", at(5), "ring")


async def test_repeated_event_is_a_fact_of_its_own_epoch() -> None:
    history = MomentHarness()
    bought = event("purchase", "kiosk", 2, id="o1", items=[])
    await history.apply(event("identify", "kiosk", 1, login="eva"), bought)
    await history.apply(event("logout", "kiosk", 3), event("identify", "kiosk", 4, login="adam"))
    again = await history.moments(bought, event("pageview", "kiosk", 5, itemID="hat"))
    adam = history.people.of_login("demo", "adam")
    assert set(again) == {history.eva, adam}
    assert isinstance(of_kind(again[history.eva], "bought"), Bought)
    assert kinds(again[adam]) == ["viewed"]


async def test_event_that_the_ring_has_forgotten_is_a_fact_of_the_present() -> None:
    history = MomentHarness()
    login = event("identify", "phone", 0, login="eva")
    await history.apply(login)
    for number in range(1, 601, 100):
        batch = [event("pageview", "phone", n, itemID="hat") for n in range(number, number + 100)]
        await history.apply(*batch)
    assert await history.moments(login) == {}  # as a boundary it is still known, and no fact
    again = await history.moments(event("pageview", "phone", 1, itemID="shoe"))
    assert again[history.eva].facts == [Viewed("phone-1", at(1), "shoe")]  # at its own time


async def test_login_is_a_fact_once() -> None:
    history = MomentHarness()
    first = await history.moments(event("identify", "phone", 1, login="eva"))
    assert kinds(first[history.eva]) == ["identified"]
    again = await history.moments(event("identify", "phone", 2, login="eva"))
    assert kinds(again[history.eva]) == []
    claimed = {"claimed": history.eva, "email": "eva@shop.test"}
    others = await history.moments(event("identify", "desk", 3, **claimed))
    assert kinds(others[history.born("desk")]) == []


async def test_basket_is_a_fact_of_the_event_that_set_it() -> None:
    history = MomentHarness()
    lines = [{"item": "shoe", "quantity": 1, "price": 10}]
    page = {"basketItems": lines, "basketTotal": 9.5, "currency": "EUR"}
    found = await history.moments(
        event("pageview", "phone", 1, **page),
        event("addToBasket", "phone", 2, itemID="hat", quantity=2, price=5),
    )
    (basket,) = found[history.born("phone")].facts
    both = [FactLine("shoe", 1, 10), FactLine("hat", 2, 5)]
    assert basket == BasketChanged("phone-2", at(2), both, 20, "EUR")
    gone = await history.moments(event("removeFromBasket", "phone", 3, itemID="shoe"))
    assert [f.items for f in gone[history.born("phone")].facts if isinstance(f, BasketChanged)] == [
        [FactLine("hat", 2, 5)]
    ]
    found = await history.moments(event("pageview", "phone", 4, pageType="home"))
    assert kinds(found[history.born("phone")]) == []  # it names no basket


async def test_order_of_a_page_and_of_a_server() -> None:
    history = MomentHarness()
    lines = [{"item": "shoe", "quantity": 1, "price": 10}]
    page = {"transaction": {"id": "o1", "revenue": 10}, "basketItems": lines, "currency": "EUR"}
    found = await history.moments(event("pageview", "phone", 1, **page))
    moment = found[history.born("phone")]
    assert moment.facts == [
        Bought("phone-1", at(1), "o1", [FactLine("shoe", 1, 10)], "browser", 10, "EUR"),
        BasketChanged("phone-1", at(1), [], 0, "EUR"),
    ]
    reported = by_server(event("purchase", "phone", 2, items=lines, revenue=12))
    bought = of_kind((await history.moments(reported))[history.born("phone")], "bought")
    assert bought == Bought("phone-2", at(2), "phone-2", [FactLine("shoe", 1, 10)], "server", 12)


async def test_order_that_the_profile_has_no_room_for_is_a_fact_too() -> None:
    history = MomentHarness()
    orders = [event("purchase", "phone", n, id=f"o{n}", items=[]) for n in range(60)]
    found = await history.moments(*orders)
    bought = [fact for fact in found[history.born("phone")].facts if isinstance(fact, Bought)]
    assert [fact.order for fact in bought] == [f"o{n}" for n in range(60)]


async def test_custom_event_keeps_its_data() -> None:
    history = MomentHarness()
    found = await history.moments(event("quizDone", "phone", 1, score=5, of={"a": None}))
    data = {"score": 5, "of": {"a": None}}
    assert found[history.born("phone")].facts == [CustomEvent("phone-1", at(1), "quizDone", data)]


async def test_logout_is_a_moment_without_facts() -> None:
    history = MomentHarness()
    await history.apply(event("identify", "phone", 1, login="eva"))
    found = await history.moments(event("logout", "phone", 2))
    (moment,) = found.values()
    assert (moment.person, moment.facts) == (history.born("phone", "phone-2"), [])


async def test_subscription_is_a_fact_when_the_player_becomes_subscribed() -> None:
    history = MomentHarness()
    person = history.born("phone")
    assert kinds((await history.moments(one_signal("phone", 1, P)))[person]) == ["subscribed"]
    assert kinds((await history.moments(one_signal("phone", 2, P)))[person]) == []
    off = await history.moments(one_signal("phone", 3, P, "optedOut"))
    assert (kinds(off[person]), off[person].subscribed) == ([], 0)
    on = await history.moments(one_signal("phone", 4, P), one_signal("phone", 5, Q))
    assert (kinds(on[person]), on[person].subscribed) == (["subscribed"] * 2, 2)
    await history.apply(event("identify", "phone", 6, login="eva"))
    assert kinds((await history.moments(one_signal("phone", 7, P)))[history.eva]) == []
    cleared = await history.moments(one_signal("new-cookies", 8, P))
    assert kinds(cleared[history.born("new-cookies")]) == []


async def test_page_that_names_the_same_lines_again_is_no_fact() -> None:
    history = MomentHarness()
    lines = [{"item": "shoe", "quantity": 1, "price": 10}]
    first = event("pageview", "phone", 1, basketItems=lines)
    assert kinds((await history.moments(first))[history.born("phone")]) == ["basket"]
    again = await history.moments(event("pageview", "phone", 2, basketItems=lines))
    assert kinds(again[history.born("phone")]) == []
    await history.apply(event("identify", "phone", 3, login="eva"))
    carried = await history.moments(event("pageview", "phone", 4, basketItems=lines), first)
    (basket,) = carried[history.eva].facts  # over the login, and repeated as it was
    assert basket == BasketChanged("phone-1", at(1), [FactLine("shoe", 1, 10)], 10)
