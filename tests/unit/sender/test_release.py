"""Tests of what becomes of a page that is due: released, repeated, suppressed, left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from sender_service.models.push import Push
from sender_service.models.push_tag import TagClaims, TagSigner
from sender_service.pages.page import Page
from sender_service.pages.transitions import (
    due_chunks,
    expire,
    release,
    suppress_unreachable,
)
from sender_service.scheduler.publishing import BodyMakers, build_jobs
from shared.documents.player import Player
from shared.ids import idempotency_key
from tests.support.builders import (
    ONESIGNAL_APP_ID,
    SEND,
    build_app,
    page,
    page_with,
    player_id,
    send,
)
from tests.support.clocks import START
from tests.support.documents import build_player
from tests.support.pages import ANSWER_TIMEOUT
from tests.support.providers import ONESIGNAL

TAGGER = TagSigner(b"k" * 32)
NOW = START + timedelta(hours=1)
RECENT, SILENT = NOW - ANSWER_TIMEOUT + timedelta(seconds=1), NOW - ANSWER_TIMEOUT
EXPIRED = {"expires_at": NOW}
PUSH = Push(title="H", text="C", url="https://s/", data={"k": 1})

PLANNED = {"state": "planned"}
WAITING = {"state": "planned", "notBefore": NOW + timedelta(seconds=30)}
RELEASED = {"state": "released", "releasedAt": RECENT}
LOST = {"state": "released", "releasedAt": SILENT}
TRIED = {"attempted": True}


@pytest.mark.parametrize(
    ("sending", "chunk", "state", "reason"),
    [
        # expired: never attempted is suppressed, attempted has had its chance
        (EXPIRED, PLANNED, "suppressed", "expired"),
        (EXPIRED, WAITING, "suppressed", "expired"),
        (EXPIRED, LOST, "suppressed", "expired"),
        (EXPIRED, PLANNED | TRIED, "failed", "no_answer"),
        (EXPIRED, LOST | TRIED, "failed", "no_answer"),
        # an answer may be on the way
        (EXPIRED, RELEASED, "released", None),
        (EXPIRED, RELEASED | TRIED, "released", None),
        ({"state": "cancelled"}, RELEASED, "released", None),
        # cancelled and refused: what was attempted is repeated until it is answered
        ({"state": "cancelled"}, PLANNED, "suppressed", "cancelled"),
        ({"state": "cancelled"}, WAITING, "suppressed", "cancelled"),
        ({"state": "cancelled"}, LOST, "suppressed", "cancelled"),
        ({"state": "cancelled"}, PLANNED | TRIED, "planned", None),
        ({"state": "cancelled"}, LOST | TRIED, "released", None),
        ({"state": "refused"}, PLANNED, "suppressed", "refused"),
        ({"state": "refused"}, LOST | TRIED, "released", None),
        ({"state": "cancelled", **EXPIRED}, PLANNED | TRIED, "failed", "no_answer"),
        ({"state": "cancelled", **EXPIRED}, PLANNED, "suppressed", "expired"),
        # nothing is over
        ({}, PLANNED, "planned", None),
        ({}, LOST | TRIED, "released", None),
        ({"paused": True}, PLANNED, "planned", None),
        (EXPIRED, {"state": "sent"}, "sent", None),
        ({"state": "cancelled"}, {"state": "failed", "reason": "rejected"}, "failed", "rejected"),
    ],
)
def test_what_is_over(
    sending: dict[str, Any], chunk: dict[str, Any], state: str, reason: str | None
) -> None:
    found = page_with(**chunk)
    expire(found, send(**sending), NOW, ANSWER_TIMEOUT)
    ended = found.chunks["0"]
    assert (ended.state, ended.reason) == (state, reason)
    assert bool(found.changes(ANSWER_TIMEOUT)) == (ended.at == NOW)


@pytest.mark.parametrize(
    ("sending", "chunk", "due"),
    [
        ({}, PLANNED, True),
        ({}, {"state": "planned", "notBefore": NOW}, True),
        ({}, WAITING, False),
        ({}, RELEASED, False),
        ({}, LOST, True),
        ({}, {"state": "sent"}, False),
        ({}, {"state": "released", "releasedAt": None}, False),
        ({"paused": True}, PLANNED, False),
        ({"paused": True}, PLANNED | TRIED, True),
        ({"paused": True}, LOST, True),
    ],
)
def test_what_is_due(sending: dict[str, Any], chunk: dict[str, Any], due: bool) -> None:
    found = page_with(**chunk)
    chosen = due_chunks(found, send(**sending), NOW, room=1, answer_timeout=ANSWER_TIMEOUT)
    assert chosen == (["0"] if due else [])


def _entry(n: int, person: str, state: str = "subscribed") -> dict[str, Player]:
    return {player_id(n): build_player(player_id(n), person, state=state)}


def test_looking_again_suppresses_who_went_away() -> None:
    members = [(player_id(n), f"p{n}", "0") for n in range(4)] + [(player_id(9), "p9", "1")]
    found = page(members, outcomes={"3": ["sent", ""]})
    ledger = _entry(0, "p0") | _entry(1, "p1", "unsubscribed") | _entry(2, "p2", "invalid")
    ledger |= _entry(3, "p3", "unsubscribed") | _entry(9, "p9", "unsubscribed")
    assert suppress_unreachable(found, {"0"}, ledger) == []
    assert found.document["outcomes"] == {
        "1": ["suppressed", "unsubscribed"], "2": ["suppressed", "invalid"], "3": ["sent", ""],
    }  # fmt: skip


def test_looking_again_names_who_moved() -> None:
    found = page_with()
    assert suppress_unreachable(found, {"0"}, _entry(1, "stranger") | _entry(2, "p2")) == [
        player_id(1)
    ]
    assert found.document["outcomes"] == {}


def _released(found: Page, sending: Any, **at: timedelta) -> dict[str, Any]:
    release(found, "0", sending, START + at.get("after", timedelta()))
    makers = BodyMakers({ONESIGNAL.name: ONESIGNAL}, TAGGER)
    (job,) = build_jobs(build_app(), found, sending, ["0"], [PUSH], makers)
    return dict(orjson.loads(job.dump()))


def test_job_is_one_whole_call() -> None:
    job = _released(page_with(), send())
    tag = TAGGER.sign(SEND, 0, "0")
    assert job["players"] == [player_id(1), player_id(2)]
    assert job["idempotencyKey"] == idempotency_key(SEND, 0, "0", 1)
    assert job["body"] == {
        "headings": {"en": "H"}, "contents": {"en": "C"}, "url": "https://s/",
        "app_id": ONESIGNAL_APP_ID, "data": {"k": 1, "carillon": tag}, "name": tag,
        "web_push_topic": SEND, "ttl": 3_600,
    }  # fmt: skip
    assert TAGGER.verify(tag) == TagClaims(SEND, 0, "0")
    assert (job["generation"], job["release"], job["priority"]) == (1, 1, "marketing")
    assert PUSH.data == {"k": 1}


def test_released_again_is_the_same_call() -> None:
    """OneSignal gets the same bytes, however much later, and although others got outcomes meanwhile."""
    members = [(player_id(n), f"p{n}", str(n % 2)) for n in range(4)]
    found = page(members)
    first = _released(found, send())
    found.fail(1, "invalid_player")
    again = _released(
        found, send(campaign_snapshot={"policy": {"ttlSeconds": 5}}), after=timedelta(hours=3)
    )
    assert again["release"] == 2 and again["releasedAt"] != first["releasedAt"]
    for field in ("body", "players", "idempotencyKey", "generation", "expiresAt"):
        assert orjson.dumps(again[field]) == orjson.dumps(first[field])


def test_new_generation_is_a_new_call() -> None:
    found = page_with()
    first = _released(found, send())
    found.change_chunk("0").renew()
    again = _released(found, send(), after=timedelta(hours=23, minutes=30))
    assert again["idempotencyKey"] != first["idempotencyKey"]
    assert again["body"]["ttl"] == 1_800


@pytest.mark.parametrize(
    ("left", "policy", "ttl"),
    [(timedelta(hours=2), {"ttlSeconds": 3_600}, 3_600), (timedelta(minutes=5), {"ttlSeconds": 3_600}, 300),
     (timedelta(seconds=-5), {"ttlSeconds": 60}, 0), (timedelta(hours=2), {"ttlSeconds": 0}, 0),
     (timedelta(seconds=90.9), {}, 90)],
)  # fmt: skip
def test_ttl_is_the_smaller_of_policy_and_time_left(
    left: timedelta, policy: dict[str, int], ttl: int
) -> None:
    job = _released(
        page_with(), send(expires_at=START + left, campaign_snapshot={"policy": policy})
    )
    assert job["body"]["ttl"] == ttl


def test_members_with_an_outcome_are_not_named() -> None:
    found = page_with()
    found.suppress(0, "unsubscribed")
    assert _released(found, send())["players"] == [player_id(2)]


def test_handing_out_is_due_for_the_sweeper() -> None:
    found = page_with()
    release(found, "0", send(), NOW)
    changes = found.changes(ANSWER_TIMEOUT)
    assert (changes["dueAt"], changes["inFlight"]) == (NOW + ANSWER_TIMEOUT, 1)
