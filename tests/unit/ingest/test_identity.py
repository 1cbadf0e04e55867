"""Tests of who a person is: epochs, logins, logouts, and the player id that goes with the browser."""

from __future__ import annotations

from datetime import timedelta

from shared.models.delivery import Delivery, PlayerOutcome
from tests.support.projector_doubles import APP, START, ProjectorHarness, event, one_signal

P = "11111111-1111-4111-8111-111111111111"
Q = "22222222-2222-4222-8222-222222222222"


async def test_visitor_without_login_is_a_person() -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("a", 1, P), event("pageview", "a", 2, itemID="shoe"))
    profile = history.anonymous("a")
    assert profile is not None
    assert profile["login"] is None
    assert profile["visitors"] == ["a"]
    assert profile["db"]["oneSignal"]["playerID"] == P
    assert profile["db"]["affinityToOneSignalPlayerID"] == [P]
    assert [v["item"] for v in profile["viewed"]] == ["shoe"]


async def test_login_takes_what_was_anonymous_before() -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("a", 1, P), event("pageview", "a", 2, itemID="shoe"))
    before = history.anonymous("a")
    assert before is not None
    await history.apply(event("identify", "a", 3, login="eva", email="eva@example.test"))
    eva = history.login("eva")
    assert history.anonymous("a") is None
    assert eva["aliases"] == [before["_id"]]
    assert eva["email"] == "eva@example.test"
    assert [p["id"] for p in eva["players"]] == [P]
    assert [v["item"] for v in eva["viewed"]] == ["shoe"]
    assert history.player(P)["person"] == eva["_id"]
    merge = history.store.kept["merges"][before["_id"]]
    assert (merge["person"], merge["merged"]) == (eva["_id"], before["_id"])


async def test_first_event_with_a_login_leaves_no_alias() -> None:
    history = ProjectorHarness()
    await history.apply(event("identify", "a", 1, login="eva"))
    assert history.login("eva")["aliases"] == []
    assert list(history.profiles()) == [history.login("eva")["_id"]]


async def test_known_login_joins_browsers() -> None:
    history = ProjectorHarness()
    await history.apply(
        one_signal("a", 1, P), event("identify", "a", 2, login="eva"),
        one_signal("b", 3, Q), event("identify", "b", 4, login="eva"),
    )  # fmt: skip
    eva = history.login("eva")
    assert eva["visitors"] == ["a", "b"]
    assert eva["db"]["oneSignal"]["playerID"] == Q
    assert sorted(eva["db"]["affinityToOneSignalPlayerID"]) == [P, Q]


async def test_two_logins_never_join() -> None:
    history = ProjectorHarness()
    await history.apply(
        one_signal("a", 1, P),
        event("identify", "a", 2, login="eva"),
        event("pageview", "a", 3, itemID="shoe"),
    )
    await history.apply(
        event("identify", "a", 4, login="adam"), event("pageview", "a", 5, itemID="hat")
    )
    eva, adam = history.login("eva"), history.login("adam")
    assert [v["item"] for v in eva["viewed"]] == ["shoe"]
    assert [v["item"] for v in adam["viewed"]] == ["hat"]
    assert eva["players"] == [] and eva["visitors"] == [] and eva["pastVisitors"] == ["a"]
    assert eva["db"] == {"oneSignal": {}, "affinityToOneSignalPlayerID": []}
    assert [p["id"] for p in adam["players"]] == [P]
    assert [former["person"] for former in history.player(P)["previous"]][-1] == eva["_id"]


async def test_logout_gives_the_browser_to_a_new_person() -> None:
    history = ProjectorHarness()
    await history.apply(
        one_signal("a", 1, P), event("identify", "a", 2, login="eva"), event("logout", "a", 3)
    )
    nobody = history.anonymous("a", "a-3")
    assert nobody is not None
    assert [p["id"] for p in nobody["players"]] == [P]
    assert history.login("eva")["players"] == []
    await history.apply(event("identify", "a", 4, login="adam"))
    assert [p["id"] for p in history.login("adam")["players"]] == [P]
    assert history.login("adam")["aliases"] == [nobody["_id"]]


async def test_logout_of_nobody_cuts_nothing() -> None:
    history = ProjectorHarness()
    await history.apply(event("pageview", "a", 1), event("logout", "a", 2), event("logout", "a", 3))
    assert len(history.profiles()) == 1


async def test_repeated_logout_cuts_once() -> None:
    history = ProjectorHarness()
    out = event("logout", "a", 2)
    await history.apply(event("identify", "a", 1, login="eva"), out)
    await history.apply(event("identify", "a", 3, login="eva"), out)
    assert history.login("eva")["visitors"] == ["a"]


async def test_repeated_view_stays_with_whom_it_was() -> None:
    history = ProjectorHarness()
    seen = event("pageview", "a", 2, itemID="ring")
    await history.apply(event("identify", "a", 1, login="eva"), seen)
    await history.apply(event("identify", "a", 3, login="adam"), seen)
    assert history.login("adam")["viewed"] == []


async def test_player_follows_the_browser_that_spoke_last() -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("b", 9, P), one_signal("a", 1, P))
    assert history.player(P)["visitor"] == "b"
    assert history.anonymous("a")["players"] == []  # type: ignore[index]


async def test_another_app_cannot_take_a_player() -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("a", 1, P))
    forged = one_signal("x", 2, P).model_copy(update={"app": "other"})
    await history.apply(forged)
    assert history.player(P)["app"] == APP
    assert history.player(P)["visitor"] == "a"


async def test_status_is_the_last_by_event_time() -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("a", 5, P, "optedOut"))
    await history.apply(one_signal("a", 4, P, "subscribed"))
    assert history.player(P)["state"] == "unsubscribed"
    profile = history.anonymous("a")
    assert profile is not None
    assert profile["db"]["oneSignal"]["status"] == "optedOut"


async def test_refused_player_is_invalid_until_heard_of_again() -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("a", 1, P))
    refusal = Delivery(
        app=APP, send="s", page=0, chunk="0", outcome="sent", at=START + timedelta(seconds=2),
        players=[PlayerOutcome(player=P, outcome="failed", reason="invalid_player")],
    )  # fmt: skip
    await history.apply(refusal, refusal)
    profile = history.anonymous("a")
    assert profile is not None
    assert (history.player(P)["state"], history.player(P)["reason"]) == (
        "invalid",
        "invalid_player",
    )
    assert profile["players"][0]["state"] == "invalid"
    await history.apply(one_signal("a", 3, P))
    assert history.player(P)["state"] == "subscribed"


async def test_webhook_is_a_sign_of_life_of_known_players_only() -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("a", 1, P))
    hook = event("oneSignalWebhook", "a", 9, playerID=P)
    hook = hook.model_copy(update={"visitor_id": None})
    await history.apply(hook, hook.model_copy(update={"player_id": Q}))
    assert history.player(P)["lastSeenAt"] == hook.occurred_at
    assert Q not in history.store.kept["players"]
