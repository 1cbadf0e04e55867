"""Tests of proven logins: a player stays with the person that has proof, whatever others claim (A6, B5)."""

from __future__ import annotations

import itertools

import pytest

from shared.models.event import Event
from tests.support.ops_events import erasure, imported
from tests.support.projector_doubles import APP, ProjectorHarness, event, one_signal

P = "11111111-1111-4111-8111-111111111111"


def proven(visitor: str, number: int, login: str, **data: object) -> Event:
    return event("identify", visitor, number, login=login, proven=True, **data)


def claimed(visitor: str, number: int, login: str, **data: object) -> Event:
    """Return an event whose unproven login ingest left out."""
    person = ProjectorHarness().people.of_login(APP, login)
    return event("identify", visitor, number, claimed=person, proven=False, **data)


def owner(history: ProjectorHarness) -> str:
    return str(history.player(P)["visitor"])


async def in_any_order(*browsers: list[Event]) -> list[ProjectorHarness]:
    """Apply each browser's events in its order, the browsers after one another in every order."""
    found = []
    for order in itertools.permutations(browsers):
        history = ProjectorHarness()
        for events in order:
            for one in events:
                await history.apply(one)
        found.append(history)
    assert all(history.profiles() == found[0].profiles() for history in found)
    ledgers = [{**history.player(P), "rev": 0, "previous": []} for history in found]
    for ledger in ledgers:
        assert ledger == ledgers[0]
    return found


async def test_a6_login_left_out_leaves_the_visitor_anonymous() -> None:
    history = ProjectorHarness()
    await history.apply(claimed("a", 1, "eva", email="eva@example.test"), one_signal("a", 2, P))
    (profile,) = history.profiles().values()
    assert (profile["login"], profile["email"]) == (None, "eva@example.test")


async def test_a6_another_login_left_out_ends_the_one_before() -> None:
    # On a shared device the person who uses it now isn't eva any more.
    history = ProjectorHarness()
    await history.apply(proven("a", 1, "eva", email="eva@example.test"), one_signal("a", 2, P))
    await history.apply(claimed("a", 3, "eva"), event("pageview", "a", 4, itemID="shoe"))
    assert [v["item"] for v in history.login("eva")["viewed"]] == ["shoe"]
    await history.apply(claimed("a", 5, "adam", email="adam@example.test"))
    eva, nobody = history.login("eva"), history.anonymous("a", "a-5")
    assert nobody is not None
    assert (eva["email"], eva["players"], eva["pastVisitors"]) == ("eva@example.test", [], ["a"])
    assert (nobody["email"], [p["id"] for p in nobody["players"]]) == ("adam@example.test", [P])


async def test_a6_claim_never_replaces_a_proven_email() -> None:
    for history in await in_any_order(
        [one_signal("a", 1, P), proven("a", 2, "eva", email="eva@example.test")],
        [event("identify", "b", 9, login="eva", email="thief@example.test")],
    ):
        assert history.login("eva")["email"] == "eva@example.test"
    history = ProjectorHarness()
    await history.apply(event("identify", "b", 1, login="eva", email="first@example.test"))
    await history.apply(event("identify", "c", 2, login="eva", email="second@example.test"))
    assert history.login("eva")["email"] == "second@example.test"


async def test_a6_servers_are_proof_and_imports_are_not() -> None:
    history = ProjectorHarness()
    server = event("identify", "a", 1, login="eva").model_copy(update={"source": "server"})
    await history.apply(server, imported(P, 2, login="eva"))
    eva = history.login("eva")
    assert (eva["proven"], eva["unproven"]) == (True, [f"os:{P}"])


async def test_a6_browser_that_was_proven_once_counts_but_its_next_claim_is_one() -> None:
    # A kiosk: the person who claims her login there later isn't her.
    history = ProjectorHarness()
    await history.apply(proven("a", 1, "eva"), one_signal("a", 2, P), event("logout", "a", 3))
    await history.apply(event("identify", "a", 4, login="eva"))
    eva = history.login("eva")
    assert (eva["proven"], eva["unproven"]) == (True, [])
    assert [p["proven"] for p in eva["players"]] == [False]
    await history.apply(proven("a", 5, "eva"))
    assert [p["proven"] for p in history.login("eva")["players"]] == [True]


HERS = [proven("hers", 1, "eva"), one_signal("hers", 2, P)]


@pytest.mark.parametrize(
    "theft",
    [
        [one_signal("thief", 9, P, "optedOut")],
        [event("identify", "thief", 8, login="adam"), one_signal("thief", 9, P, "optedOut")],
        [event("identify", "thief", 8, login="eva"), one_signal("thief", 9, P, "optedOut")],
        [claimed("thief", 8, "eva"), one_signal("thief", 9, P, "optedOut")],
        [imported(P, 9, login="adam", status="optedOut", state="unsubscribed")],
        [imported(P, 9, visitor="thief", login="adam")],
    ],
)
async def test_b5_player_of_a_proven_login_is_not_taken_nor_opted_out(theft: list[Event]) -> None:
    for history in await in_any_order(HERS, theft):
        assert (owner(history), history.player(P)["state"]) == ("hers", "subscribed")
        assert [p["id"] for p in history.login("eva")["players"]] == [P]
        assert sum(len(p["players"]) for p in history.profiles().values()) == 1


async def test_b5_her_own_browser_sends_what_it_likes() -> None:
    history = ProjectorHarness()
    await history.apply(*HERS, one_signal("thief", 5, P))
    await history.apply(one_signal("hers", 6, P, "optedOut"))
    assert (owner(history), history.player(P)["state"]) == ("hers", "unsubscribed")


@pytest.mark.parametrize(
    "end", [event("logout", "hers", 20), claimed("hers", 20, "adam"),
            event("identify", "hers", 20, login="adam")]
)  # fmt: skip
async def test_b5_her_browser_lets_go(end: Event) -> None:
    # The newest claim on the player wins then, as always among unproven ones.
    for history in await in_any_order([*HERS, end], [one_signal("other", 9, P)]):
        assert owner(history) == "other"
    for history in await in_any_order([*HERS, end], [one_signal("other", 1, P)]):
        assert owner(history) == "hers"


async def test_b5_proven_claim_takes_it() -> None:
    """Cookies were cleared, and she logs in again: the visitor is another one, the player the same."""
    again = [one_signal("again", 9, P), proven("again", 10, "eva")]
    for history in await in_any_order(HERS, again):
        assert owner(history) == "again"
    for history in await in_any_order(HERS, [*again, event("logout", "again", 11)]):
        assert owner(history) == "again"  # and not back to the browser that is no more
    server = one_signal("again", 9, P).model_copy(update={"source": "server"})
    for history in await in_any_order(HERS, [server]):
        assert owner(history) == "again"


async def test_b5_anonymous_owner_loses_it_to_the_newcomer() -> None:
    for history in await in_any_order([one_signal("a", 1, P)], [one_signal("b", 2, P)]):
        assert owner(history) == "b"
    unproven = [event("identify", "a", 1, login="eva"), one_signal("a", 2, P)]
    for history in await in_any_order(unproven, [one_signal("b", 3, P)]):
        assert owner(history) == "b"


async def test_b5_imports_stand_in_never_keeps_it_from_the_browser() -> None:
    for history in await in_any_order([imported(P, 1, login="eva")], [one_signal("a", 2, P)]):
        assert owner(history) == "a"


async def test_b5_erasing_either_of_two_leaves_nothing_and_spares_the_other() -> None:
    eva = ProjectorHarness().people.of_login(APP, "eva")
    thief = ProjectorHarness().people.of_visitor(APP, "thief", "0")
    stolen = [one_signal("thief", 9, P)]
    for history in await in_any_order(HERS, [*stolen, erasure("thief", 20, thief, P)]):
        assert owner(history) == "hers"
        assert thief not in str(history.store.kept["players"])
    for history in await in_any_order([*HERS, erasure("hers", 20, eva, P)], stolen):
        assert owner(history) == "thief"
        assert eva not in str({**history.player(P), "history": []})
