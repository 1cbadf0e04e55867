"""Occurrences of the clock: the times at which a scenario fires, each with a name of its own. Pure.

A name repeats on every replica and after every restart, and says the local day rather than the time:
whatever is edited, a day's occurrence comes once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from sender_service.models.scenario.entry_rules import WEEKDAYS, OnDaily, OnOnce, OnSegment, Weekday
from sender_service.models.scenario.firing import Occurrence
from sender_service.models.scenario.scenario import SPREAD_SLOTS, Scenario
from shared.models.quiet_hours import instant_of
from shared.models.wire import to_iso

DAY = timedelta(days=1)


def is_for(occurrence: Occurrence, scenario: Scenario, person: str, zone: str) -> bool:
    """Return whether it, and none of the same day, is the person's. `zone` is hers."""
    if occurrence.slot is not None and occurrence.slot != scenario.spread_slot(person):
        return False
    if occurrence.day is None or not isinstance(scenario.entry, OnDaily):
        return True
    return instant_of(occurrence.day, scenario.entry.at, zone) == occurrence.at


def find_occurrences(
    scenario: Scenario, zones: Collection[str], since: datetime, until: datetime
) -> list[Occurrence]:
    """Return the occurrences that are due after `since` and by `until`, the first first.

    `zones`: the app's, or where the time is each person's own all zones that occur.
    """
    found = (
        slot
        for one in _occurrences(scenario, zones, since - scenario.spread, until)
        for slot in _slots_of(one, scenario)
    )
    due = (one for one in found if since < one.due <= until)
    return sorted(due, key=lambda one: (one.due, one.name))


def _occurrences(
    scenario: Scenario, zones: Collection[str], since: datetime, until: datetime
) -> Iterator[Occurrence]:
    """Yield the occurrences of the clock between these times, and some around them."""
    match scenario.entry:
        case OnOnce(at=at):
            yield Occurrence(name=to_iso(at), at=at, due=at)
        case OnSegment(at=clock):
            yield from _of_app(clock, (), zones, since, until)
        case OnDaily(at=clock, days=days, zone="app"):
            yield from _of_app(clock, days, zones, since, until)
        case OnDaily(at=clock, days=days):
            yield from _of_people(clock, days, zones, since, until)
        case _:
            return


def _of_app(
    clock: time, days: Collection[Weekday], zones: Collection[str], since: datetime, until: datetime
) -> Iterator[Occurrence]:
    for zone in zones:
        for day in _days(days, since, until):
            at = instant_of(day, clock, zone)
            yield Occurrence(name=day.isoformat(), at=at, due=at)


def _of_people(
    clock: time, days: Collection[Weekday], zones: Collection[str], since: datetime, until: datetime
) -> Iterator[Occurrence]:
    """Yield an occurrence for each instant at which it is this time of day in some zone."""
    for day in _days(days, since, until):
        for at in {instant_of(day, clock, zone) for zone in zones}:
            ahead = datetime.combine(day, clock, UTC) - at
            name = f"{day.isoformat()}{ahead // timedelta(minutes=1):+}"
            yield Occurrence(name=name, at=at, due=at, day=day)


def _days(days: Collection[Weekday], since: datetime, until: datetime) -> Iterator[date]:
    """Yield the local days, anywhere, that meet the time from `since` to `until`."""
    day, last = since.astimezone(UTC).date() - DAY, until.astimezone(UTC).date() + DAY
    while day <= last:
        if not days or WEEKDAYS[day.weekday()] in days:
            yield day
        day += DAY


def _slots_of(one: Occurrence, scenario: Scenario) -> Iterator[Occurrence]:
    """Yield the slots of the spread, where people are pushed at once; others' runs wait for theirs."""
    if not scenario.spread or not scenario.pushes_at_once:
        yield one
        return
    for slot in range(SPREAD_SLOTS):
        due = one.at + scenario.spread * slot / SPREAD_SLOTS
        yield replace(one, name=f"{one.name}#{slot}", due=due, slot=slot)
