"""Servers' events that name a login: the login's own visitor, which holds no player."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support.histories import TIGHT
from tests.support.ops_events import erasure
from tests.support.projector_doubles import APP, ProjectorHarness, by_login, event, one_signal

P = "11111111-1111-4111-8111-111111111111"
LINE = {"item": "shoe", "quantity": 1, "price": 10}


def order(number: int, login: str = "eva", name: str = "o-1") -> Any:
    return by_login("purchase", login, number, id=name, items=[LINE], revenue=10)


def orders_of(history: ProjectorHarness, login: str = "eva") -> list[str]:
    return [purchase["id"] for purchase in history.login(login)["purchases"]]


async def test_order_is_the_persons_and_no_browsers() -> None:
    history = ProjectorHarness()
    await history.apply(order(1))
    eva = history.login("eva")
    assert (orders_of(history), eva["players"], eva["aliases"]) == (["o-1"], [], [])
    assert eva["visitors"] == [order(1).visitor_id] and len(history.profiles()) == 1
    assert not history.store.kept["players"] and not history.store.kept["merges"]


async def test_it_joins_the_person_in_whatever_order_they_come() -> None:
    phone = [
        event("pageview", "phone", 1, itemID="hat"),
        event("identify", "phone", 2, login="eva", email="eva@example.test"),
        one_signal("phone", 3, P),
    ]
    found = []
    for parts in itertools.permutations([phone, [order(4)], [order(5, "adam")]]):
        history = ProjectorHarness()
        for one in itertools.chain(*parts):
            await history.apply(one)
            await history.apply(one)
        found.append(history.profiles())
        eva, adam = history.login("eva"), history.login("adam")
        assert [p["id"] for p in eva["players"]] == [P] and orders_of(history) == ["o-1"]
        assert [v["item"] for v in eva["viewed"]] == ["hat"]
        assert (adam["players"], orders_of(history, "adam")) == ([], ["o-1"])
    assert all(profiles == found[0] for profiles in found)


@pytest.mark.parametrize("first", [True, False])
async def test_it_proves_no_browsers_login(first: bool) -> None:
    # Where proof is optional, a payment callback must not make her browsers the unproven ones.
    history = ProjectorHarness()
    events = [order(3), event("identify", "phone", 2, login="eva"), one_signal("phone", 4, P)]
    for one in events if first else [*events[1:], events[0]]:
        await history.apply(one)
    eva = history.login("eva")
    assert (eva["proven"], eva["unproven"]) == (False, ["phone"])
    await history.apply(event("identify", "desk", 5, login="eva", proven=True))
    eva = history.login("eva")
    assert (eva["proven"], eva["unproven"]) == (True, ["phone"])


async def test_browsers_that_only_claim_the_login_push_it_out_of_no_profile() -> None:
    history = ProjectorHarness(bounds=TIGHT)
    await history.apply(order(1))
    for n in range(5):
        await history.apply(event("identify", f"v{n}", 10 + n, login="eva", proven=False))
    assert orders_of(history) == ["o-1"]


async def test_identify_brings_an_email_to_the_same_epoch() -> None:
    history = ProjectorHarness()
    data = {"email": "eva@example.test", "proven": True}
    await history.apply(by_login("identify", "eva", 1, **data), order(2))
    await history.apply(by_login("identify", "eva", 3, login="eva", proven=True))
    (visitor,) = history.store.kept["visitors"].values()
    assert len(visitor["epochs"]) == 1 and history.login("eva")["email"] == "eva@example.test"


async def test_erasure_takes_the_visitor_and_spares_what_comes_later() -> None:
    history = ProjectorHarness()
    await history.apply(event("identify", "phone", 1, login="eva"), order(2))
    person = history.people.of_login(APP, "eva")
    visitors = history.login("eva")["visitors"]
    assert visitors == sorted(["phone", str(order(2).visitor_id)])
    for visitor in visitors:
        await history.apply(erasure(visitor, 10, person))
    assert history.profiles() == {} and "eva" not in str(history.store.kept)
    # What was on its way is dropped, what comes later isn't.
    await history.apply(order(9, name="o-old"))
    assert history.profiles() == {}
    await history.apply(order(11, name="o-new"))
    assert orders_of(history) == ["o-new"]
