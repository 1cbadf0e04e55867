"""Quiet hours where clocks change, and the zone of people whose own isn't known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sender_service.models.campaign import Campaign, CampaignBody
from sender_service.models.policy import AppPolicy, Policy
from sender_service.models.segment import TimeZoneIs
from sender_service.models.send_quiet_hours import SendQuietHours
from sender_service.pages.quiet_hours import quiet_hours_of, wait_through_quiet_hours
from sender_service.planner.building import PageBuilder
from sender_service.planner.rendering import Renderer
from sender_service.planner.segment_filter import to_filter
from sender_service.planner.target import Candidate
from shared.documents.profile import Profile
from shared.errors import InvalidPayload
from shared.models.quiet_hours import QuietHours, zone_for
from shared.models.strict import validate_strictly
from shared.models.wire import validate
from shared.priority import Priority
from tests.support.builders import (
    campaign,
    page_with,
    plan,
    player,
    profile,
    send,
    variant,
)
from tests.support.clocks import START
from tests.support.pages import ANSWER_TIMEOUT

PRAGUE = "Europe/Prague"
SAMOA = "Pacific/Apia"  # had no 30 December 2011


def hours(start: str, end: str) -> QuietHours:
    return QuietHours.model_validate({"from": start, "to": end})


@pytest.mark.parametrize(
    ("start", "end", "now", "until"),
    [
        # 28 March 2027: 02:00 CET is 03:00 CEST; nobody sees 02:30. The night ends with the gap.
        ("22:00", "02:30", "2027-03-27T21:00", "2027-03-28T01:00"),
        ("22:00", "02:30", "2027-03-28T00:15", "2027-03-28T01:00"),
        ("22:00", "02:30", "2027-03-28T00:59", "2027-03-28T01:00"),
        ("22:00", "02:30", "2027-03-28T01:00", None),
        ("22:00", "02:30", "2027-03-28T01:10", None),
        ("22:00", "03:00", "2027-03-28T00:15", "2027-03-28T01:00"),
        ("22:00", "08:00", "2027-03-27T22:00", "2027-03-28T06:00"),
        ("02:30", "05:00", "2027-03-28T00:45", None),
        ("02:30", "05:00", "2027-03-28T01:00", "2027-03-28T03:00"),
        ("02:15", "02:45", "2027-03-28T01:00", None),  # no such half hour on that day
        # 31 October 2027: 02:00 to 03:00 comes twice. It begins with the first, ends with the second.
        ("22:00", "02:30", "2027-10-30T20:00", "2027-10-31T01:30"),
        ("22:00", "02:30", "2027-10-31T00:15", "2027-10-31T01:30"),
        ("22:00", "02:30", "2027-10-31T00:30", "2027-10-31T01:30"),
        ("22:00", "02:30", "2027-10-31T00:45", "2027-10-31T01:30"),
        ("22:00", "02:30", "2027-10-31T01:00", "2027-10-31T01:30"),
        ("22:00", "02:30", "2027-10-31T01:30", None),
        ("22:00", "08:00", "2027-10-30T22:00", "2027-10-31T07:00"),
        ("02:30", "05:00", "2027-10-31T00:29", None),
        ("02:30", "05:00", "2027-10-31T00:30", "2027-10-31T04:00"),
        ("02:30", "05:00", "2027-10-31T01:15", "2027-10-31T04:00"),
        # The second 02:15 ends the night before after the first 02:45 has begun the next one.
        ("02:45", "02:15", "2027-10-31T00:50", "2027-11-01T01:15"),
        ("22:00", "24:00", "2027-01-05T22:00", "2027-01-05T23:00"),
        ("24:00", "06:00", "2027-01-05T23:00", "2027-01-06T05:00"),
    ],
)
def test_f6_nights_are_compared_by_instants(
    start: str, end: str, now: str, until: str | None
) -> None:
    expected = None if until is None else datetime.fromisoformat(f"{until}+00:00")
    assert hours(start, end).until(datetime.fromisoformat(f"{now}+00:00"), PRAGUE) == expected


@pytest.mark.parametrize("zone", [PRAGUE, "Australia/Lord_Howe", "America/St_Johns", SAMOA, "UTC"])
def test_f6_no_night_ends_before_it_began_or_begins_anew(zone: str) -> None:
    # An end that was named stands until it has come, and pushes leave then.
    days = [
        date(2027, 3, 28),
        date(2027, 4, 4),
        date(2027, 10, 3),
        date(2027, 10, 31),
        date(2011, 12, 30),
    ]
    for night in (hours("22:00", "02:30"), hours("01:45", "02:15"), hours("00:00", "23:59")):
        for day in days:
            now = datetime.combine(day, datetime.min.time(), UTC) - timedelta(days=1)
            last: datetime | None = None
            for _ in range(3 * 24 * 12):
                until = night.until(now, zone)
                if last is not None and now < last:
                    assert until == last
                assert until is None or until > now
                assert until is None or night.until(until, zone) is None
                last, now = until, now + timedelta(minutes=5)


def test_f25_zones_are_known_in_any_case_and_fall_back_to_the_apps() -> None:
    assert zone_for("europe/PRAGUE", None) == PRAGUE
    assert zone_for("Mars/Base", "europe/prague") == PRAGUE
    assert zone_for(None, PRAGUE) == PRAGUE
    assert zone_for("Etc/Unknown", None) == zone_for(7, "nowhere") == "UTC"
    segment = TimeZoneIs.model_validate({"timeZone": ["europe/prague", "Nowhere"]})
    assert to_filter(segment, START) == {"timeZone": {"$in": [PRAGUE, "Nowhere"]}}


def night_of(person: Profile, of_app: AppPolicy) -> tuple[str, int]:
    """Return the zone of the person's only chunk, and how many have none of their own."""
    made = plan(campaign(quietHours={"from": "22:00", "to": "08:00"}))
    builder = PageBuilder(replace(made, of_app=of_app), 0, START, ())
    assert builder.add(Candidate(None, person))
    (chunk,) = builder.chunks.values()
    return chunk["timeZone"], builder.no_zone


def test_f25_people_without_a_zone_have_the_apps_night() -> None:
    of_app = AppPolicy(time_zone=PRAGUE)
    for unknown in (None, "Mars/Base"):
        assert night_of(profile("p", player(1), timeZone=unknown), of_app) == (PRAGUE, 0)
        assert night_of(profile("p", player(1), timeZone=unknown), AppPolicy()) == ("UTC", 1)
    assert night_of(profile("p", player(1), timeZone="asia/tokyo"), of_app) == ("Asia/Tokyo", 0)


def test_f25_pages_of_before_wait_for_the_apps_morning() -> None:
    now = datetime(2027, 1, 5, 22, 30, tzinfo=UTC)
    quiet = {"policy": {"quietHours": {"from": "22:00", "to": "08:00"}}, "timeZone": PRAGUE}
    page = page_with(timeZone="Mars/Base", notBefore=now)
    wait_through_quiet_hours(page, send(campaign_snapshot=quiet), now, ANSWER_TIMEOUT)
    assert page.chunks["0"].not_before == datetime(2027, 1, 6, 7, tzinfo=UTC)


def body(policy: dict[str, Any]) -> dict[str, Any]:
    return {**campaign().document(), "policy": policy}


def test_f25_hours_that_begin_when_they_end_are_refused_where_they_are_written() -> None:
    for start, end in (("22:00", "22:00"), ("00:00", "24:00"), ("24:00", "24:00")):
        given = body({"quietHours": {"from": start, "to": end}})
        for name in ("id", "app", "version"):
            given.pop(name)
        with pytest.raises(InvalidPayload, match="all day or never") as refused:
            validate_strictly(CampaignBody, given)
        assert refused.value.errors[0].field == "policy.quietHours"


def test_false_is_no_quiet_hours_and_stays_false() -> None:
    stored = Campaign.stored(body({"quietHours": False}))
    assert stored.document()["policy"]["quietHours"] is False
    assert Campaign.stored(stored.document()) == stored
    never = stored.policy.quiet_hours
    assert never is not None
    assert never.until(START, "UTC") is None and never.next_start(START, "UTC") is None


@pytest.mark.parametrize("given", [True, 0, "false", []])
def test_nothing_else_is_no_quiet_hours(given: object) -> None:
    with pytest.raises(InvalidPayload) as refused:
        validate(Policy, {"quietHours": given})
    assert refused.value.errors[0].field == "quietHours"


NIGHT = {"from": "22:00", "to": "08:00"}
EVENING = {"from": "19:00", "to": "23:00"}


@pytest.mark.parametrize(
    ("of_campaign", "of_app", "priority", "applies"),
    [
        (None, None, "marketing", None),
        (None, False, "marketing", None),
        (None, NIGHT, "marketing", NIGHT),
        (EVENING, NIGHT, "marketing", EVENING),
        (EVENING, None, "marketing", EVENING),
        (EVENING, False, "marketing", EVENING),
        (False, NIGHT, "marketing", None),
        (None, NIGHT, "transactional", None),
        (EVENING, NIGHT, "transactional", None),
        (None, None, "triggered", {"from": "21:00", "to": "08:00"}),
        (None, False, "triggered", None),
        (None, NIGHT, "triggered", NIGHT),
        (False, None, "triggered", None),
        (False, NIGHT, "triggered", None),
        (EVENING, False, "triggered", EVENING),
    ],
)
def test_a_campaigns_quiet_hours_precede_the_apps(
    of_campaign: object, of_app: object, priority: Priority, applies: dict[str, str] | None
) -> None:
    policy = validate(Policy, {"quietHours": of_campaign})
    found = SendQuietHours.of(policy, validate(AppPolicy, {"quietHours": of_app}), priority)
    assert (None if found is None else found.hours.written()) == applies
    # The scheduler reads them from what the send began with, the planner from the campaign.
    snapshot = {"policy": policy.document(), "quietHours": of_app, "timeZone": PRAGUE}
    kept = quiet_hours_of(send(campaign_snapshot=snapshot, priority=priority))
    assert (None if kept is None else (kept.hours.written(), kept.of_app)) == (
        None if applies is None else (applies, PRAGUE)
    )


def test_f25_dates_in_texts_are_of_each_persons_zone_or_the_apps() -> None:
    of = campaign(variant(contents={"en": "{{ due|date('short') }}"})).variants[0]
    renderer = Renderer({"due": "2027-03-05T20:00:00Z"}, time_zone="Asia/Tokyo")
    zones = {"America/New_York": "3/5/27", None: "3/6/27", "Europe/Prague": "3/5/27"}
    for zone, rendered in zones.items():
        text = renderer.render(of, profile("p", timeZone=zone), {}).text
        assert text == rendered, zone
