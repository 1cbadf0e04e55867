"""Quiet hours in the visitor's zone, caps' and purchases' windows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from sender_service.models.policy import Policy, has_bought
from sender_service.models.send import Send
from sender_service.pages.quiet_hours import wait_through_quiet_hours
from shared.errors import InvalidPayload
from shared.models.quiet_hours import QuietHours
from shared.models.wire import validate
from tests.support.builders import page_with, send
from tests.support.documents import build_profile
from tests.support.pages import ANSWER_TIMEOUT

NIGHT = QuietHours.model_validate({"from": "22:00", "to": "08:00"})
NOON = QuietHours.model_validate({"from": "12:00", "to": "13:30"})


@pytest.mark.parametrize(
    ("hours", "now", "zone", "until"),
    [
        (NIGHT, "2026-01-10T21:30+00:00", "Europe/Prague", "2026-01-11T07:00+00:00"),  # 22:30 there
        (NIGHT, "2026-01-10T20:59+00:00", "Europe/Prague", None),  # 21:59
        (NIGHT, "2026-01-11T06:59+00:00", "Europe/Prague", "2026-01-11T07:00+00:00"),  # 07:59
        (NIGHT, "2026-01-11T07:00+00:00", "Europe/Prague", None),  # 08:00: it is over
        (NIGHT, "2026-01-10T23:00+00:00", "America/New_York", None),  # 18:00
        (NOON, "2026-06-01T10:15+00:00", "Europe/Prague", "2026-06-01T11:30+00:00"),  # 12:15
        # The night in which clocks go forward: 08:00 is an hour sooner.
        (NIGHT, "2026-03-28T22:00+00:00", "Europe/Prague", "2026-03-29T06:00+00:00"),
    ],
)
def test_quiet_hours_are_the_visitors_own(
    hours: QuietHours, now: str, zone: str, until: str | None
) -> None:
    expected = None if until is None else datetime.fromisoformat(until)
    assert hours.until(datetime.fromisoformat(now), zone) == expected


def send_with(policy: Mapping[str, object], priority: str = "marketing") -> Send:
    return send(campaign_snapshot={"policy": policy}, priority=priority)


def test_a_chunk_waits_for_its_own_morning() -> None:
    now = datetime(2026, 1, 10, 21, 30, tzinfo=UTC)
    send = send_with({"quietHours": {"from": "22:00", "to": "08:00"}})
    for zone, waits in (("Europe/Prague", True), ("America/New_York", False)):
        page = page_with(timeZone=zone, notBefore=now)
        wait_through_quiet_hours(page, send, now, ANSWER_TIMEOUT)
        assert (page.chunks["0"].not_before > now) is waits
        assert bool(page.changes(ANSWER_TIMEOUT)) is waits


def test_transactional_sends_know_no_night() -> None:
    now = datetime(2026, 1, 10, 23, 30, tzinfo=UTC)
    page = page_with(timeZone="UTC", notBefore=now)
    quiet = {"quietHours": {"from": "22:00", "to": "08:00"}}
    wait_through_quiet_hours(page, send_with(quiet, "transactional"), now, ANSWER_TIMEOUT)
    assert page.changes(ANSWER_TIMEOUT) == {}


def test_bought_since_the_trigger_or_days_before_it() -> None:
    triggered = datetime(2026, 5, 10, tzinfo=UTC)
    since_trigger = validate(Policy, {"notIfBoughtSince": True}).bought_since(triggered)
    three_days = validate(Policy, {"notIfBoughtSince": 3}).bought_since(triggered)
    assert validate(Policy, {"notIfBoughtSince": False}).bought_since(triggered) is None
    profile = build_profile("p", purchases=[{"id": "1", "at": triggered - timedelta(days=2)}])
    assert not has_bought(profile, since_trigger)
    assert has_bought(profile, three_days)
    assert not has_bought(build_profile("p"), three_days)


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"quietHours": {"from": "25:00", "to": "08:00"}}, "quietHours.from"),
        ({"quietHours": {"from": "24:01", "to": "08:00"}}, "quietHours.from"),
        ({"quietHours": {"from": "22:00"}}, "quietHours.to"),
        ({"cap": {"count": 0, "days": 1}}, "cap.count"),
        ({"cap": {"count": 1, "days": 91}}, "cap.days"),
        ({"holdout": 1}, "holdout"),
        ({"ttlSeconds": 2_419_201}, "ttlSeconds"),
    ],
)
def test_bad_policy_names_its_field(policy: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidPayload) as refused:
        validate(Policy, policy)
    assert field in {error.field for error in refused.value.errors}
