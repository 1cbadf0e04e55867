"""Calls that meet quiet hours after their release: given back, or repeated in the morning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sender_service.pages.deliveries import apply
from sender_service.pages.quiet_hours import quiet_hours_of, wait_through_quiet_hours
from sender_service.pages.transitions import release, to_job
from shared.models.delivery import Delivery
from tests.support.builders import SEND, page_with, send
from tests.support.clocks import START
from tests.support.pages import ANSWER_TIMEOUT

NIGHT = {"policy": {"quietHours": {"from": "22:00", "to": "08:00"}}, "timeZone": "Asia/Tokyo"}


def test_a_call_without_an_answer_is_repeated_in_the_morning() -> None:
    now, morning = datetime(2026, 1, 10, 21, 30, tzinfo=UTC), datetime(2026, 1, 11, 7, tzinfo=UTC)
    sending = send(campaign_snapshot=NIGHT)
    silent = now - ANSWER_TIMEOUT
    for released_at, state in ((silent, "planned"), (silent + timedelta(seconds=1), "released")):
        page = page_with(
            timeZone="Europe/Prague", state="released", releasedAt=released_at, attempted=True
        )
        wait_through_quiet_hours(page, sending, now, ANSWER_TIMEOUT)
        chunk = page.chunks["0"]
        assert (chunk.state, chunk.is_attempted) == (state, True)
        assert (chunk.not_before == morning) is (state == "planned")


@pytest.mark.parametrize(
    ("zone", "priority", "quiet_from"),
    [
        ("Europe/Prague", "marketing", "2026-01-10T21:00+00:00"),
        ("Mars/Base", "marketing", "2026-01-10T13:00+00:00"),
        ("", "transactional", None),
    ],
)
def test_a_job_has_the_begin_of_the_night(zone: str, priority: str, quiet_from: str | None) -> None:
    now = datetime(2026, 1, 10, 11, tzinfo=UTC)
    page = page_with(timeZone=zone, state="released", releasedAt=now)
    sending = send(campaign_snapshot=NIGHT, priority=priority)
    expected = None if quiet_from is None else datetime.fromisoformat(quiet_from)
    assert to_job(page, "0", {}, sending, quiet_hours_of(sending)).quiet_from == expected


@pytest.mark.parametrize(
    ("reason", "of_release", "is_attempted"),
    [("not_called", 1, False), ("not_called", 2, True), ("server_error", 1, True)],
)
def test_a_postponed_call_may_turn_out_never_made(
    reason: str, of_release: int, is_attempted: bool
) -> None:
    # Then its members are looked at again before the morning's call; and it waits as before.
    morning = START + timedelta(hours=10)
    page = page_with(release=1, attempted=True, releasedAt=START, notBefore=morning)
    delivery = Delivery.model_validate(
        {"app": "demo", "send": SEND, "page": 0, "chunk": "0", "at": START, "outcome": "deferred",
         "reason": reason, "release": of_release}
    )  # fmt: skip
    apply(page, delivery)
    chunk = page.chunks["0"]
    assert (chunk.is_attempted, chunk.attempts, chunk.not_before) == (is_attempted, 0, morning)


@pytest.mark.parametrize(("reason", "ttl"), [("not_called", 1_800), ("server_error", 3_600)])
def test_what_was_never_called_lives_no_longer_than_its_send(reason: str, ttl: int) -> None:
    sending = send(expires_at=START + timedelta(hours=2))
    page = page_with()
    release(page, "0", sending, START)
    assert page.chunks["0"].ttl == 3_600
    delivery = Delivery.model_validate(
        {"app": "demo", "send": SEND, "page": 0, "chunk": "0", "at": START, "outcome": "deferred",
         "reason": reason, "release": 1, "generation": 1}
    )  # fmt: skip
    apply(page, delivery)
    release(page, "0", sending, START + timedelta(minutes=90))
    assert page.chunks["0"].ttl == ttl
