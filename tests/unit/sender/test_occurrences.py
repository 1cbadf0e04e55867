"""Occurrences of the clock: each day once in every zone, whatever clocks change and is edited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.models.decide.due import spread_of
from sender_service.models.scenario.entry_rules import (
    OnBasket,
    OnDaily,
    OnNewIn,
    OnOnce,
    OnSegment,
    Zone,
)
from sender_service.models.scenario.firing import Occurrence
from sender_service.models.scenario.occurrence import find_occurrences, is_for
from sender_service.models.scenario.scenario import Scenario
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import DAY, HOUR, MINUTE, after, scenario, step

PRAGUE, KATHMANDU, NEW_YORK = "Europe/Prague", "Asia/Kathmandu", "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"  # its summer is half an hour ahead
ZONES = st.sampled_from(sorted(available_timezones()))
CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
# Around most changes of clocks, in all parts of the world.
DATES = st.dates(date(2026, 1, 1), date(2029, 12, 31)) | st.sampled_from(
    [date(2027, 3, 28), date(2027, 10, 31), date(2027, 3, 14), date(2027, 11, 7), date(2027, 4, 4)]
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def clocked(entry: object, *steps: object, **fields: object) -> Scenario:
    given: dict[str, object] = {"entry": entry, "until": (), **fields}
    return scenario(*(steps or (step(wait=after(0)),)), **given)  # type: ignore[arg-type]


def daily(clock: str = "02:30", zone: Zone = "app", **fields: object) -> Scenario:
    days = fields.pop("days", ())
    return clocked(OnDaily(at=time.fromisoformat(clock), days=days, zone=zone), **fields)  # type: ignore[arg-type]


def find(
    own: Scenario, zones: Collection[str], since: datetime, until: datetime, hours: float = 2
) -> list[Occurrence]:
    """Return what looks every few hours find, each in the time since the look before."""
    found, look = [], since
    while look < until:
        following = min(look + hours * HOUR, until)
        found += find_occurrences(own, zones, look, following)
        look = following
    return found


@given(ZONES, CLOCKS, DATES, st.integers(1, 30))
def test_case_22_each_local_day_has_one_occurrence(
    zone: str, clock: time, day: date, hours: int
) -> None:
    own = clocked(OnDaily(at=clock))
    begin = datetime.combine(day, time(12), UTC) - 4 * DAY
    found = find(own, [zone], begin, begin + 8 * DAY, hours)
    whole = [(day + n * DAY).isoformat() for n in range(-2, 3)]
    names = Counter(one.name for one in found)
    assert set(names.values()) == {1} and set(whole) <= names.keys()
    for one in found:
        local = one.at.astimezone(ZoneInfo(zone))
        is_skipped = local.time() != clock
        assert local.date().isoformat() == one.name or is_skipped
        assert one.due == one.at


@given(ZONES, CLOCKS, DATES)
def test_a_time_of_day_comes_to_each_person_once(zone: str, clock: time, day: date) -> None:
    own = clocked(OnDaily(at=clock, zone="person"))
    begin = datetime.combine(day, time(12), UTC) - 3 * DAY
    zones = {PRAGUE, KATHMANDU, NEW_YORK, LORD_HOWE, "UTC", zone}
    found = find(own, zones, begin, begin + 6 * DAY)
    assert len({one.name for one in found}) == len(found)
    for one in zones:
        hers = Counter(each.day for each in found if is_for(each, own, "p-1", one))
        assert all(hers[day + n * DAY] == 1 for n in (-1, 0, 1)) and set(hers.values()) == {1}


@pytest.mark.parametrize(
    ("day", "instant"),
    [
        ("2027-03-27", "2027-03-27T01:30"),
        ("2027-03-28", "2027-03-28T01:00"),  # 02:30 is skipped: it comes at the change
        ("2027-10-31", "2027-10-31T00:30"),  # 02:30 comes twice: the first counts
        ("2027-11-01", "2027-11-01T01:30"),
    ],
)
@pytest.mark.parametrize("zone", ["app", "person"])
def test_case_22_clock_changes(day: str, instant: str, zone: Zone) -> None:
    begin = at(f"{day}T00:00") - HOUR
    (one,) = find(daily(zone=zone), [PRAGUE], begin, begin + 23 * HOUR, 0.5)
    assert (one.at, one.name.startswith(day)) == (at(instant), True)


def test_people_ahead_come_first_and_those_of_one_offset_together() -> None:
    own, begin = daily("09:00", "person"), at("2027-01-10T12:00")
    zones = [NEW_YORK, PRAGUE, "Europe/Berlin", KATHMANDU]
    found = find(own, zones, begin, begin + DAY)
    assert [(one.name, one.at) for one in found] == [
        ("2027-01-10-300", at("2027-01-10T14:00")),
        ("2027-01-11+345", at("2027-01-11T03:15")),
        ("2027-01-11+60", at("2027-01-11T08:00")),
    ]


def test_only_its_days_of_the_week_by_the_local_date() -> None:
    own = daily("00:30", days=("mo",))
    found = find(own, [PRAGUE], at("2027-01-01T00:00"), at("2027-01-31T00:00"))
    assert [one.name for one in found] == ["2027-01-04", "2027-01-11", "2027-01-18", "2027-01-25"]
    assert found[0].at == at("2027-01-03T23:30")  # still Sunday in UTC


def test_a_day_keeps_its_name_when_the_time_is_edited() -> None:
    day = at("2027-01-10T00:00")
    before = find(daily("09:00"), [PRAGUE], day, day + DAY)
    since = find(daily("17:00"), [PRAGUE], day, day + DAY)
    assert [one.name for one in before] == [one.name for one in since] == ["2027-01-10"]


def test_once_comes_once() -> None:
    own = clocked(OnOnce(at=START))
    assert find(own, ["UTC"], START - 3 * DAY, START - MINUTE) == []
    (one,) = find(own, ["UTC"], START - DAY, START + 3 * DAY)
    assert (one.at, one.due, one.slot) == (START, START, None)


def test_a_segment_is_looked_at_daily_in_the_app_s_zone() -> None:
    own = clocked(OnSegment(at=time(10)))
    found = find(own, [PRAGUE], at("2027-07-01T00:00"), at("2027-07-03T00:00"))
    assert [one.at for one in found] == [at("2027-07-01T08:00"), at("2027-07-02T08:00")]


def test_other_entries_have_no_occurrences_of_the_clock() -> None:
    for entry in (OnBasket(), OnNewIn(at=time(10), days=7)):
        assert find(clocked(entry), [PRAGUE], START, START + 2 * DAY) == []


def test_a_spread_has_twelve_slots_and_each_person_one_of_them() -> None:
    own = daily("09:00", spread=60 * MINUTE)
    found = find(own, ["UTC"], at("2027-01-10T00:00"), at("2027-01-11T00:00"), 0.1)
    assert [one.due - one.at for one in found] == [n * 5 * MINUTE for n in range(12)]
    for n in range(100):
        (slot,) = [one for one in found if is_for(one, own, f"p-{n}", "UTC")]
        assert slot.due == slot.at + spread_of(own, f"p-{n}")


def test_a_first_step_that_waits_needs_no_slots() -> None:
    waits = clocked(OnDaily(at=time(9)), step(wait=after(30)), spread=60 * MINUTE)
    (one,) = find(waits, ["UTC"], at("2027-01-10T00:00"), at("2027-01-11T00:00"))
    assert one.slot is None and one.due == one.at


def test_a_spread_crosses_midnight_with_its_day_s_name() -> None:
    own = daily("23:30", spread=timedelta(minutes=120))
    found = find(own, ["UTC"], at("2027-01-10T12:00"), at("2027-01-11T12:00"), 0.5)
    assert {one.name.split("#")[0] for one in found} == {"2027-01-10"} and len(found) == 12
