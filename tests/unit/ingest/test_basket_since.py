"""A basket's `since`: the event that set its lines, in the browser's own order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.projector.browser import SEEN_EVENTS
from shared.models.event import Event
from tests.support.histories import RELAXED, at, name_basket, replay_batches
from tests.support.ops_events import undoing
from tests.support.projector_doubles import APP, ProjectorHarness, event

OTHERS = [{"shoe": 2}, {"shoe": 1, "hat": 1}, {"hat": 1}, {}]


async def basket_of(*events: Event, login: str | None = None) -> dict[str, Any]:
    history = ProjectorHarness()
    for one in events:
        await history.apply(one)
    profile = history.anonymous("a") if login is None else history.login(login)
    assert profile is not None
    basket: dict[str, Any] = profile["basket"]
    return basket


async def test_pages_that_name_the_same_lines_dont_move_it() -> None:
    lines = [{"item": "hat", "quantity": 1}, {"item": "shoe", "quantity": 1, "price": 9}]
    pages = [
        event("pageview", "a", 3, basketItems=lines[::-1], basketTotal=9),
        event("pageview", "a", 4, basketItems=[*lines, {"item": "ring", "quantity": 0}]),
        event("pageview", "a", 5, basketItems=lines, currency="EUR"),
        event("pageview", "a", 6, basketItems=[{**line, "price": 12} for line in lines]),
    ]
    basket = await basket_of(
        name_basket("a", 1, shoe=1), name_basket("a", 2, shoe=1, hat=1), *pages
    )
    assert (basket["since"], basket["at"]) == (at(2), at(6))
    assert basket["total"] == 24  # a new price is shown, and is no change of hers


@pytest.mark.parametrize("lines", OTHERS)
async def test_page_that_names_other_lines_moves_it(lines: dict[str, float]) -> None:
    first = name_basket("a", 1, shoe=1)
    basket = await basket_of(first, name_basket("a", 2, **lines), name_basket("a", 3, **lines))
    assert basket["since"] == at(2)


async def test_page_after_a_change_confirms_it() -> None:
    added = event("addToBasket", "a", 2, itemID="hat", price=5)
    pages = [name_basket("a", 3, shoe=1, hat=1), name_basket("a", 4, shoe=1, hat=1)]
    assert (await basket_of(name_basket("a", 1, shoe=1), added))["since"] == at(2)
    assert (await basket_of(name_basket("a", 1, shoe=1), added, *pages))["since"] == at(2)
    assert (await basket_of(added, name_basket("a", 3, hat=1)))["since"] == at(2)


@pytest.mark.parametrize(
    "change",
    [
        event("removeFromBasket", "a", 2, itemID="ring"),
        event("removeFromBasket", "a", 2, itemID="ring", quantity=1),
        event("addToBasket", "a", 2, itemID="shoe", quantity=0, price=3),
    ],
)
async def test_change_of_nothing_doesnt_move_it(change: Event) -> None:
    basket = await basket_of(name_basket("a", 1, shoe=1), change)
    assert (basket["since"], basket["at"]) == (at(1), at(2))


async def test_before_any_basket_there_is_no_date() -> None:
    viewed = event("pageview", "a", 1, itemID="shoe")
    assert (await basket_of(viewed))["since"] is None
    assert (await basket_of(viewed, name_basket("a", 2)))["since"] == at(2)


async def test_login_doesnt_move_it() -> None:
    login = event("identify", "a", 5, login="eva")
    named = [name_basket("a", 1, shoe=1), login, name_basket("a", 6, shoe=1)]
    assert (await basket_of(*named, login="eva"))["since"] == at(1)
    only_added = [event("addToBasket", "a", 1, itemID="shoe"), login, name_basket("a", 6, shoe=1)]
    assert (await basket_of(*only_added, login="eva"))["since"] == at(1)
    added = event("addToBasket", "a", 6, itemID="hat")
    then = [named[0], login, added, name_basket("a", 7, shoe=1, hat=1)]
    assert (await basket_of(*then, login="eva"))["since"] == at(6)
    unlike = [name_basket("a", 1, shoe=2), login, event("addToBasket", "a", 6, itemID="shoe")]
    assert (await basket_of(*unlike, name_basket("a", 7, shoe=1), login="eva"))["since"] == at(7)
    other = [*named[:2], name_basket("a", 6, hat=1), name_basket("a", 7, shoe=1)]
    assert (await basket_of(*other, login="eva"))["since"] == at(7)


async def test_others_on_a_shared_browser_dont_move_it() -> None:
    eva, adam = ("identify", {"login": "eva"}), ("identify", {"login": "adam"})
    steps: list[tuple[str, dict[str, Any]]] = [eva, adam, eva]
    events = []
    for number, (kind, data) in enumerate(steps):
        lines = {"hat": 1} if data["login"] == "adam" else {"shoe": 1}
        events += [
            event(kind, "a", 10 * number, **data),
            name_basket("a", 10 * number + 1, **lines),
        ]
    assert (await basket_of(*events, login="eva"))["since"] == at(1)
    assert (await basket_of(*events, login="adam"))["since"] == at(11)


async def test_undone_merge_gives_both_their_own() -> None:
    history = ProjectorHarness()
    born = history.people.of_visitor(APP, "a", "0")
    await history.apply(name_basket("a", 1, shoe=1), event("identify", "a", 5, login="eva"))
    await history.apply(name_basket("a", 6, shoe=1))
    assert history.login("eva")["basket"]["since"] == at(1)
    await history.apply(undoing("a", 7, born))
    alone = history.anonymous("a")
    assert alone is not None and alone["basket"]["since"] == at(1)
    assert history.login("eva")["basket"]["since"] == at(6)


async def test_each_browser_has_its_own_order() -> None:
    """Another basket on the phone doesn't make the laptop's a new one, each time she looks."""
    events = [event("identify", visitor, 0, login="eva") for visitor in ("laptop", "phone")]
    for number in (10, 20, 30):
        events += [
            name_basket("laptop", number, shoe=1),
            name_basket("phone", number + 1, hat=1),
            name_basket("laptop", number + 2, shoe=1),
        ]
    basket = await basket_of(*events, login="eva")
    assert (basket["items"][0]["item"], basket["since"], basket["at"]) == ("shoe", at(10), at(32))


async def test_joined_epochs_keep_it() -> None:
    """Log in more often than epochs are kept: older ones are joined to later ones."""
    history = ProjectorHarness()
    for number in range(0, 200, 5):
        await history.apply(
            event("identify", "a", number, login="eva"), name_basket("a", number + 1, shoe=1),
            event("logout", "a", number + 2),
        )  # fmt: skip
    (visitor,) = history.store.kept["visitors"].values()
    assert len(visitor["epochs"]) == 32
    assert history.login("eva")["basket"]["since"] == at(1)


async def test_late_and_repeated_pages_dont_move_it() -> None:
    history = ProjectorHarness()
    older, first, last = (
        name_basket("a", 1, hat=1), name_basket("a", 5, shoe=1), name_basket("a", 9, shoe=1),
    )  # fmt: skip
    await history.apply(first, last, older)
    await history.apply(*(event("pageview", "a", 20 + n) for n in range(SEEN_EVENTS)))
    await history.apply(first, last, older)
    profile = history.anonymous("a")
    assert profile is not None and profile["basket"]["since"] == at(5)


async def test_order_empties_as_of_its_time() -> None:
    bought = event("purchase", "a", 2, id="o1", items=[])
    full, empty = name_basket("a", 1, shoe=1), name_basket("a", 3)
    assert (await basket_of(full, bought))["since"] == at(2)
    assert (await basket_of(full, bought, empty))["since"] == at(3)
    assert (await basket_of(full, bought, name_basket("a", 3, shoe=1)))["since"] == at(3)


async def test_browser_that_names_what_another_has_bought_has_no_older_basket() -> None:
    events = [event("identify", visitor, 0, login="eva") for visitor in ("laptop", "phone")]
    events += [
        name_basket("laptop", 1, shoe=1), event("purchase", "phone", 2, id="o1", items=[]),
        name_basket("laptop", 3, shoe=1),
    ]  # fmt: skip
    assert (await basket_of(*events, login="eva"))["since"] == at(2)


LINES = st.dictionaries(st.sampled_from(["shoe", "hat"]), st.integers(1, 2), max_size=2)
STEP = st.one_of(
    st.tuples(st.just("page"), LINES),
    st.tuples(st.sampled_from(["add", "remove"]), st.sampled_from(["shoe", "hat"])),
    st.tuples(st.just("login"), st.just("eva")),
)


def _event(number: int, kind: str, value: Any) -> Event:
    if kind == "page":
        return name_basket("a", number, **value)
    if kind == "buy":
        return event("purchase", "a", number, id=value, items=[])
    if kind == "login":
        return event("identify", "a", number, login=value)
    name = "addToBasket" if kind == "add" else "removeFromBasket"
    return event(name, "a", number, itemID=value, quantity=1)


BUY = st.tuples(st.just("buy"), st.sampled_from(["o1", "o2"]))
OTHER_BUY = st.tuples(st.just("buy"), st.sampled_from(["o2", "o3"]))


def _walk(steps: list[tuple[str, Any]]) -> tuple[dict[str, int], int | None]:
    """Return the basket and its date, step by step."""
    lines: dict[str, int] = {}
    since: int | None = None
    orders: set[str] = set()
    for number, (kind, value) in enumerate(steps):
        before = dict(lines)
        if kind == "page":
            lines = dict(value)
            since = number if since is None else since
        elif kind in ("add", "remove"):
            lines[value] = lines.get(value, 0) + (1 if kind == "add" else -1)
            lines = {item: count for item, count in lines.items() if count > 0}
        elif kind == "buy" and value not in orders:
            lines, before = {}, {"emptied": 1}
            orders.add(value)
        since = since if lines == before else number
    return lines, since


@RELAXED
@given(steps=st.lists(STEP | BUY, min_size=1, max_size=12))
def test_it_is_what_a_walk_through_the_browsers_events_finds(steps: list[tuple[str, Any]]) -> None:
    events = [_event(number, *step) for number, step in enumerate(steps)]
    (profile,) = replay_batches([events]).profiles().values()
    lines, since = _walk(steps)
    assert {line["item"]: line["quantity"] for line in profile["basket"]["items"]} == lines
    if lines or "buy" not in dict(steps):  # an empty one is dated by the page that names it
        assert profile["basket"]["since"] == (None if since is None else at(since))


@RELAXED
@given(steps=st.lists(STEP | OTHER_BUY, max_size=8), data=st.data())
def test_order_reported_again_leaves_the_basket_as_it_is(
    steps: list[tuple[str, Any]], data: st.DataObject
) -> None:
    """Report an order, go on shopping, and report it again somewhere: here, or on the phone."""
    logins = [event("identify", visitor, -1, login="eva") for visitor in ("a", "phone")]
    bought = event("purchase", data.draw(st.sampled_from(["a", "phone"])), 0, id="o1", items=[])
    events = [*logins, bought, *(_event(10 * n, *step) for n, step in enumerate(steps, 1))]
    number = data.draw(st.integers(1, 99))
    again = event("purchase", data.draw(st.sampled_from(["a", "phone"])), number, id="o1", items=[])
    with_again = sorted([*events, again], key=lambda one: one.occurred_at)
    plain, reported = (replay_batches([log]).login("eva")["basket"] for log in (events, with_again))
    assert plain == reported
