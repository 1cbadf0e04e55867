"""A basket that is filled again after an order with the same lines dates from the page behind it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.projector.basket_dates import MAX_REFILLS
from shared.models.event import Event
from tests.support.histories import RELAXED, at, logs, name_basket, replay_batches
from tests.support.ops_events import undoing
from tests.support.projector_doubles import APP, ProjectorHarness, event


def coffee(number: int, visitor: str = "a") -> Event:
    return name_basket(visitor, number, coffee=1)


def order(number: int, id: str = "o1", visitor: str = "a") -> Event:
    return event("purchase", visitor, number, id=id, items=[])


def reopened(number: int, id: str = "o1", visitor: str = "a") -> Event:
    return event("pageview", visitor, number, transaction={"id": id})


def login(number: int, visitor: str = "a") -> Event:
    return event("identify", visitor, number, login="eva")


def added(number: int) -> Event:
    return event("addToBasket", "a", number, itemID="coffee", quantity=1)


def basket_of(*events: Event) -> dict[str, Any]:
    (profile,) = replay_batches([[one] for one in events]).profiles().values()
    basket: dict[str, Any] = profile["basket"]
    return basket


WEEK = [coffee(1), order(2), coffee(10)]


@pytest.mark.parametrize(
    ("events", "since"),
    [
        (WEEK, 10),
        ([*WEEK, coffee(20)], 10),
        ([*WEEK, reopened(15)], 10),
        ([*WEEK, reopened(15), coffee(20)], 10),
        ([*WEEK, order(12, "o2"), coffee(20), reopened(25), coffee(30)], 20),
        ([coffee(1), order(2), order(3, "o2"), coffee(10)], 10),
        ([coffee(1), order(2), coffee(3), login(4), coffee(10)], 3),
        ([coffee(1), order(2), login(5), coffee(10)], 10),
        ([coffee(1), login(5), order(6), coffee(10), coffee(20)], 10),
        ([login(0), coffee(1), event("logout", "a", 2), coffee(3), login(4), coffee(10)], 1),
        ([added(1), order(2), coffee(10)], 10),
        ([added(1), login(2), order(3), coffee(10)], 10),
        ([added(1), order(2), added(9), coffee(10)], 9),
        ([coffee(1), order(2), added(9), coffee(10), coffee(20)], 9),
        ([coffee(1), coffee(10), order(5), coffee(20)], 20),  # a server reports it late
    ],
)
def test_page_behind_an_order_dates_the_lines(events: list[Event], since: int) -> None:
    basket = basket_of(*events)
    assert [line["item"] for line in basket["items"]] == ["coffee"]
    assert basket["since"] == at(since)


def test_each_week_has_its_date() -> None:
    events = [coffee(0)]
    for week in range(1, MAX_REFILLS + 10):
        events += [order(100 * week - 50, f"o{week}"), coffee(100 * week), coffee(100 * week + 1)]
        assert basket_of(*events)["since"] == at(100 * week)
    history = replay_batches([events])
    (visitor,) = history.store.kept["visitors"].values()
    (epoch,) = visitor["epochs"]
    assert len(epoch["contribution"]["basket"]["refills"]) == MAX_REFILLS


@pytest.mark.parametrize("moment", [1.5, 2, 4, 60])
def test_server_reports_the_order_too(moment: float) -> None:
    """Report it before or after the browser does, whichever is read first."""
    logins = [login(0), login(0, "server")]
    server = order(2, visitor="server").model_copy(
        update={"occurred_at": at(0) + (at(1) - at(0)) * moment}
    )
    pages = [coffee(1), reopened(3), coffee(10), coffee(20)]
    for place in range(len(pages) + 1):
        log = [*logins, *pages[:place], server, *pages[place:]]
        assert basket_of(*log)["since"] == at(10)


@pytest.mark.parametrize("place", range(5))
def test_thank_you_page_of_an_older_order_of_another_browser_changes_nothing(place: int) -> None:
    """Open it here for the first time, wherever on the log the order itself comes."""
    pages = [coffee(10), reopened(50), coffee(60), coffee(70)]
    log = [login(0), login(0, "phone"), *pages]
    log.insert(2 + place, order(1, visitor="phone"))
    assert basket_of(*log)["since"] == at(10)


def test_order_that_only_another_visitor_reports_dates_the_lines_itself() -> None:
    log = [login(0), login(0, "server"), coffee(1), order(2, visitor="server")]
    assert basket_of(*log, coffee(10), coffee(20))["since"] == at(2)


async def test_undone_merge_gives_both_their_own() -> None:
    history = ProjectorHarness()
    born = history.people.of_visitor(APP, "a", "0")
    await history.apply(coffee(1), login(5), order(6), coffee(10), coffee(20))
    assert history.login("eva")["basket"]["since"] == at(10)
    await history.apply(undoing("a", 30, born))
    alone = history.anonymous("a")
    assert alone is not None and alone["basket"]["since"] == at(1)
    assert history.login("eva")["basket"]["since"] == at(10)
    await history.apply(coffee(40))
    assert history.login("eva")["basket"]["since"] == at(10)


HERE = st.lists(
    st.one_of(
        st.builds(lambda id: ("order", id), st.sampled_from(["o1", "o2"])),
        st.sampled_from([("page", 1), ("page", 1), ("page", 0), ("page", 2), ("added", 1)]),
    ),
    max_size=8,
)


def _here(number: int, kind: str, value: Any) -> Event:
    if kind == "order":
        return order(number, value)
    return added(number) if kind == "added" else name_basket("a", number, coffee=value)


@RELAXED
@given(steps=HERE, data=st.data())
def test_date_doesnt_depend_on_when_the_other_visitor_is_read(
    steps: list[tuple[str, Any]], data: st.DataObject
) -> None:
    """Read a browser's events and a server's orders in any order of both, in any batches."""
    here = [_here(10 * n, *step) for n, step in enumerate(steps, 1)]
    times = data.draw(st.lists(st.integers(1, 99), max_size=2, unique=True))
    server = [order(number, f"o{n}", "server") for n, number in enumerate(sorted(times), 1)]
    history = {"a": [login(0), *here], "server": [login(0, "server"), *server]}
    first, second = (replay_batches(data.draw(logs(history))) for _ in range(2))
    assert first.profiles() == second.profiles()
