"""Tests of what a delivery does to its page, and which webhooks can be counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.accounting.interactions import verify_interaction
from sender_service.models.push_tag import TagSigner
from sender_service.pages.deliveries import (
    FIRST_BACKOFF_SECONDS,
    LONGEST_BACKOFF_SECONDS,
    apply,
    backoff,
)
from sender_service.pages.page import Page
from sender_service.pages.sums import summarise
from shared.models.delivery import Delivery
from shared.models.event import Event
from tests.support.builders import SEND, page_with, player_id
from tests.support.clocks import START
from tests.support.pages import ANSWER_TIMEOUT

TAGGER = TagSigner(b"k" * 32)
AT = START + timedelta(minutes=1)
RELEASED = {"state": "released", "release": 1, "attempted": True, "releasedAt": START, "ttl": 60}


def _delivery(outcome: str, **fields: Any) -> Delivery:
    call = {"app": "demo", "send": SEND, "page": 0, "chunk": "0", "at": AT}
    return Delivery.model_validate({**call, "outcome": outcome, **fields})


def _applied(chunk: dict[str, Any], *deliveries: Delivery) -> Page:
    found = page_with(**chunk)
    for delivery in deliveries:
        apply(found, delivery)
    found.changes(ANSWER_TIMEOUT)
    return found


def _deferred(reason: str = "server_error", **fields: Any) -> Delivery:
    return _delivery("deferred", reason=reason, **fields)


def _invalid(n: int) -> dict[str, str]:
    return {"player": player_id(n), "outcome": "failed", "reason": "invalid_player"}


def test_sent_is_everyone_but_the_named() -> None:
    found = _applied(RELEASED, _delivery("sent", notificationId="n-1", players=[_invalid(2)]))
    chunk = found.chunks["0"]
    assert (chunk.state, chunk.notification_id, chunk.at) == ("sent", "n-1", AT)
    assert found.document["outcomes"] == {"1": ["failed", "invalid_player"]}
    assert found.sums.sent == 1 and found.sums.failed == {"invalid_player": 1}
    assert not found.is_open and found.document["inFlight"] == 0


@pytest.mark.parametrize(
    "again",
    [
        _delivery("sent", notificationId="n-2"),
        _delivery("failed", reason="invalid_player", players=[_invalid(1)]),
        _deferred(),
        _deferred("refused"),
    ],
    ids=lambda d: f"{d.outcome}-{d.reason}",
)
@pytest.mark.parametrize("state", ["sent", "failed", "suppressed", "split"])
def test_late_and_repeated_deliveries_change_nothing(again: Delivery, state: str) -> None:
    found = page_with(**RELEASED | {"state": state})
    apply(found, again)
    assert found.changes(ANSWER_TIMEOUT) == {}


@pytest.mark.parametrize("fields", [{"chunk": "7"}, {"generation": 2}, {"chunk": ""}])
def test_foreign_deliveries_change_nothing(fields: dict[str, Any]) -> None:
    found = page_with(**RELEASED)
    apply(found, _delivery("sent", **fields))
    assert found.changes(ANSWER_TIMEOUT) == {}


def test_strangers_in_a_delivery_are_passed_over() -> None:
    found = _applied(RELEASED, _delivery("sent", players=[_invalid(99)]))
    assert found.document["outcomes"] == {} and found.sums.sent == 2


def test_an_outcome_that_is_there_stays() -> None:
    found = page_with(**RELEASED)
    found.suppress(0, "unsubscribed")
    apply(found, _delivery("failed", reason="invalid_player", players=[_invalid(1), _invalid(2)]))
    assert found.document["outcomes"] == {
        "0": ["suppressed", "unsubscribed"],
        "1": ["failed", "invalid_player"],
    }


def test_answer_to_an_older_release_counts() -> None:
    found = _applied(RELEASED | {"release": 3}, _delivery("sent", release=1))
    assert found.chunks["0"].state == "sent"


def test_deferral_of_an_older_release_does_not() -> None:
    found = page_with(**RELEASED | {"release": 3})
    apply(found, _deferred(release=2))
    assert found.changes(ANSWER_TIMEOUT) == {}


def test_deferral_of_what_is_planned_again_does_not() -> None:
    found = page_with(**RELEASED | {"state": "planned"})
    apply(found, _deferred())
    assert found.changes(ANSWER_TIMEOUT) == {}


def test_silence_waits_longer_each_time_under_the_same_key() -> None:
    waits = []
    for attempts in range(8):
        chunk = _applied(RELEASED | {"attempts": attempts}, _deferred()).chunks["0"]
        assert (chunk.state, chunk.generation, chunk.attempts) == (
            "planned",
            1,
            attempts + 1,
        )
        assert chunk.is_attempted and chunk.ttl == 60
        waits.append((chunk.not_before - AT).total_seconds())
    assert waits[:5] == sorted(waits[:5]) and waits[0] >= 1
    assert all(30 <= wait <= 60 for wait in waits[5:])


def test_retry_after_is_a_floor() -> None:
    late = AT + timedelta(minutes=30)
    chunk = _applied(RELEASED, _deferred("rate_limited", notBefore=late)).chunks["0"]
    assert chunk.not_before == late
    chunk = _applied(RELEASED, _deferred("rate_limited", notBefore=AT)).chunks["0"]
    assert chunk.not_before > AT


def test_only_a_definite_refusal_makes_a_new_call_of_it() -> None:
    chunk = _applied(RELEASED | {"attempts": 2}, _deferred("refused")).chunks["0"]
    assert (chunk.generation, chunk.is_attempted, chunk.ttl) == (2, False, None)
    for reason in ("rate_limited", "server_error", "unclear", "no_answer", "not_called", "stopped"):
        assert _applied(RELEASED, _deferred(reason)).chunks["0"].generation == 1


@pytest.mark.parametrize("reason", ["not_called", "stopped"])
def test_never_called_is_not_attempted(reason: str) -> None:
    later = AT + timedelta(seconds=1)
    chunk = _applied(RELEASED, _deferred(reason, notBefore=later)).chunks["0"]
    assert (chunk.is_attempted, chunk.attempts, chunk.not_before) == (False, 0, later)


@pytest.mark.parametrize("before", [{"attempts": 1}, {"release": 2}])
def test_what_may_have_been_called_before_stays_attempted(before: dict[str, int]) -> None:
    delivery = _deferred("not_called", release=before.get("release", 1))
    assert _applied(RELEASED | before, delivery).chunks["0"].is_attempted


DELIVERIES = st.builds(
    _delivery,
    st.sampled_from(["sent", "failed", "deferred"]),
    reason=st.sampled_from([None, "refused", "not_called", "server_error", "invalid_player"]),
    generation=st.integers(1, 3),
    release=st.integers(1, 3),
    players=st.lists(st.builds(_invalid, st.integers(1, 3)), max_size=2),
)


@given(st.lists(DELIVERIES, max_size=6), st.data())
def test_repetition_changes_nothing(deliveries: list[Delivery], data: st.DataObject) -> None:
    once = _applied(RELEASED, *deliveries)
    repeated = [d for d in deliveries for _ in range(data.draw(st.integers(1, 3)))]
    twice = _applied(RELEASED, *repeated)
    assert once.document == twice.document
    sums = summarise(once.document)
    failed, suppressed = sum(sums.failed.values()), sum(sums.suppressed.values())
    assert sums.audience == 2 == sums.sent + sums.pending + failed + suppressed


@given(st.integers(0, 10_000), st.text(max_size=20))
def test_backoff_is_bounded_and_agrees_with_itself(attempts: int, who: str) -> None:
    wait = backoff(attempts, who)
    assert wait == backoff(attempts, who)
    longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(attempts, 10))
    assert longest / 2 <= wait <= longest <= 60


def test_backoff_has_jitter() -> None:
    assert len({round(backoff(3, f"page-{n}"), 3) for n in range(50)}) > 40


def _webhook(tag: object, **data: Any) -> Event:
    values = {"kind": "click", "playerID": player_id(1), "data": {"carillon": tag}, **data}
    return Event.model_validate(
        {"app": "demo", "id": "e-1", "type": "oneSignalWebhook", "source": "webhook",
         "playerId": player_id(1), "occurredAt": AT, "receivedAt": AT,
         "data": {k: v for k, v in values.items() if v is not ...}}
    )  # fmt: skip


GENUINE = TAGGER.sign(SEND, 3, "1-0")


@pytest.mark.parametrize("kind", ["impression", "click", "close"])
def test_genuine_webhook_is_a_verified_interaction(kind: str) -> None:
    seen = verify_interaction(_webhook(GENUINE, kind=kind), TAGGER)
    assert seen is not None
    assert (seen.tagged.send, seen.tagged.page, seen.tagged.chunk) == (SEND, 3, "1-0")
    assert (seen.player, seen.kind, seen.at) == (player_id(1), kind, AT)


def test_player_is_compared_in_lower_case() -> None:
    webhook = _webhook(GENUINE, playerID="AAAAAAAA-0000-4000-8000-000000000001")
    seen = verify_interaction(webhook, TAGGER)
    assert seen is not None and seen.player == "aaaaaaaa-0000-4000-8000-000000000001"


def test_player_of_the_envelope_will_do() -> None:
    assert verify_interaction(_webhook(GENUINE, playerID=...), TAGGER) is not None


@pytest.mark.parametrize(
    "event",
    [
        _webhook(None),
        _webhook(GENUINE[:-1] + ("A" if GENUINE[-1] != "A" else "B")),
        _webhook(TagSigner(b"j" * 32).sign(SEND, 3, "0")),
        _webhook(["x"]),
        _webhook(GENUINE, data=None),
        _webhook(GENUINE, data="text"),
        _webhook(GENUINE, data=...),
        _webhook(GENUINE, data={"other": GENUINE}),
        _webhook(GENUINE, kind="open"),
        _webhook(GENUINE, kind=...),
        _webhook(GENUINE, playerID="not-a-player"),
        _webhook(GENUINE, playerID=7),
    ],
)
def test_what_cannot_be_counted(event: Event) -> None:
    assert verify_interaction(event, TAGGER) is None
