"""The ledger's states: what browsers, deliveries, Event Streams and imports say of a player."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.models.delivery import Delivery, PlayerOutcome
from shared.models.event import Event
from tests.support.ops_events import erasure, imported, streamed
from tests.support.projector_doubles import APP, START, ProjectorHarness, event, one_signal

P = "11111111-1111-4111-8111-111111111111"


def refusal(second: int) -> Delivery:
    return Delivery(
        app=APP, send="s", page=0, chunk="0", outcome="sent", at=START + timedelta(seconds=second),
        players=[PlayerOutcome(player=P, outcome="failed", reason="invalid_player")],
    )  # fmt: skip


async def test_every_change_is_kept_with_its_reason() -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("a", 1, P), one_signal("a", 2, P), event("pageview", "a", 3))
    await history.apply(one_signal("a", 4, P, "optedOut"), one_signal("a", 5, P))
    await history.apply(event("identify", "a", 6, login="eva"))
    await history.apply(refusal(7), streamed(P, 8, "unsubscribed", "User opted-out"))
    states = [(w["state"], w["reason"]) for w in history.player(P)["history"]]
    assert states == [
        ("subscribed", None), ("unsubscribed", None), ("subscribed", None), ("subscribed", "moved"),
        ("invalid", "invalid_player"), ("unsubscribed", "user_opted_out"),
    ]  # fmt: skip
    assert history.player(P)["state"] == "unsubscribed"


async def test_history_is_bounded() -> None:
    history = ProjectorHarness()
    for second in range(40):
        await history.apply(one_signal("a", second, P, ("subscribed", "optedOut")[second % 2]))
    assert len(history.player(P)["history"]) == 10


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("Not Registered", "invalid"), ("410 Gone", "invalid"), ("invalid_token", "invalid"),
        ("Subscription expired", "invalid"), ("Unsubscribed", "unsubscribed"),
        ("timeout", "subscribed"), ("invalid payload", "subscribed"), (None, "subscribed"),
    ],
)  # fmt: skip
async def test_failure_is_for_good_only_where_it_is_the_subscriptions(
    reason: str | None, state: str
) -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("a", 1, P), streamed(P, 2, "failed", reason))
    assert history.player(P)["state"] == state


async def test_received_and_clicked_are_signs_of_life() -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("a", 1, P), streamed(P, 2, "sent"))
    assert history.player(P)["lastSeenAt"] == START + timedelta(seconds=1)
    await history.apply(streamed(P, 3, "received"))
    assert history.player(P)["lastSeenAt"] == START + timedelta(seconds=3)


async def test_report_that_comes_before_the_browser_is_not_lost() -> None:
    history = ProjectorHarness()
    await history.apply(refusal(5))
    await history.apply(one_signal("a", 1, P))
    assert (history.player(P)["state"], history.player(P)["visitor"]) == ("invalid", "a")
    assert history.player(P)["previous"] == []


async def test_another_app_takes_over_what_only_a_report_named() -> None:
    history = ProjectorHarness()
    await history.apply(refusal(5))
    await history.apply(one_signal("x", 6, P).model_copy(update={"app": "other"}))
    assert history.player(P)["app"] == "other"


async def test_imported_subscriber_is_a_person() -> None:
    history = ProjectorHarness()
    await history.apply(imported(P, 1, tags={"city": "Brno"}))
    person = history.anonymous(f"os:{P}")
    assert person is not None
    assert (person["tags"], [p["id"] for p in person["players"]]) == ({"city": "Brno"}, [P])


async def test_imported_login_is_the_persons() -> None:
    history = ProjectorHarness()
    await history.apply(imported(P, 1, login="eva"), event("identify", "b", 2, login="eva"))
    assert history.login("eva")["visitors"] == ["b", f"os:{P}"]


async def test_imports_stand_in_ends_when_the_browser_comes() -> None:
    history = ProjectorHarness()
    await history.apply(imported(P, 1))
    await history.apply(one_signal("a", 2, P))
    assert history.player(P)["visitor"] == "a"
    assert history.anonymous(f"os:{P}") is None
    assert history.anonymous("a") is not None


async def test_import_is_older_than_what_browsers_stated() -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("a", 5, P, "optedOut"))
    await history.apply(imported(P, 1, visitor="a"))
    assert history.player(P)["state"] == "unsubscribed"


async def test_another_app_changes_no_player() -> None:
    # Neither its reports nor its pages.
    history = ProjectorHarness()
    await history.apply(one_signal("a", 1, P))
    before = history.player(P)
    foreign: list[Event | Delivery] = [
        refusal(5).model_copy(update={"app": "other"}),
        streamed(P, 6, "unsubscribed").model_copy(update={"app": "other"}),
        one_signal("b", 7, P, "optedOut").model_copy(update={"app": "other"}),
    ]
    for foreign_event in foreign:
        await history.apply(foreign_event)
        assert history.player(P) == before


async def test_a_players_provider_and_subscription_are_kept_until_it_is_erased() -> None:
    history = ProjectorHarness()
    await history.apply(one_signal("a", 1, P))
    history.player(P).update(
        provider="webpush", subscription={"endpoint": "https://push.example/1"}
    )
    await history.apply(one_signal("a", 2, P, "optedOut"), event("identify", "a", 3, login="eva"))
    assert history.player(P)["subscription"] == {"endpoint": "https://push.example/1"}
    assert [p["provider"] for p in history.login("eva")["players"]] == ["webpush"]
    await history.apply(erasure("a", 4, history.people.of_login(APP, "eva"), P))
    assert history.player(P)["state"] == "erased"
    assert "subscription" not in history.player(P)
