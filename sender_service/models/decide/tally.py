"""Counts of simulated people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sender_service.models.decide.simulated_person import SimulatedPerson
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.scenario.simulation import Tally
from sender_service.models.segment import (
    And,
    BrowserIs,
    Condition,
    Known,
    LanguageIs,
    Not,
    Or,
)

HOUR = timedelta(hours=1)
OF_TODAY = {LanguageIs: "language", BrowserIs: "browser", Known: "known"}


def count_person(tally: Tally, found: SimulatedPerson, scenario: str, since: datetime) -> None:
    """Count what the scenario did to one person since a time."""
    pushes = 0
    for run in found.runs:
        hours = [hour_of(push.at) for push in run.pushes if push.at >= since]
        if run.scenario != scenario:
            tally.other_pushes += len(hours)
            continue
        pushes += len(hours)
        tally.hours.update(hours)
        tally.entered += run.entry.at >= since
        tally.skipped.update(one.why for one in run.skipped if one.at >= since)
        if run.ended is not None and run.ended.at >= since:
            tally.ended[run.ended.why] += 1
    if pushes:
        tally.people[pushes] += 1
    mine = (one for one in found.refused if one.scenario == scenario and one.at >= since)
    tally.refused.update(one.why for one in mine)


def hour_of(moment: datetime) -> int:
    return int(moment.timestamp() // HOUR.total_seconds())


def fields_of_today(scenarios: Iterable[Scenario]) -> tuple[str, ...]:
    """Return what conditions of these scenarios ask that no fact shows: it is taken as it is today."""
    asked = {type(one) for scenario in scenarios for one in _conditions_of(scenario)}
    return tuple(name for kind, name in OF_TODAY.items() if kind in asked)


def unknown_of(scenarios: Iterable[Scenario]) -> tuple[str, ...]:
    """Return what decides on pushes and is in no history: clicks, where they end runs, and caps."""
    exits = {exit for scenario in scenarios for exit in scenario.until}
    return ("clicked", "caps") if "clicked" in exits else ("caps",)


def _conditions_of(scenario: Scenario) -> Iterator[Condition]:
    waiting = [scenario.condition, *(step.only for step in scenario.steps)]
    while waiting:
        match waiting.pop():
            case And(all_of=conditions) | Or(any_of=conditions):
                waiting += conditions
            case Not(condition=condition):
                waiting.append(condition)
            case None:
                continue
            case condition:
                yield condition
