"""Entries that people would have made while a scenario wasn't there or was off, by their moments. Pure.

Only those whose first step is due in the future: what fell due before is never made up for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sender_service.models.decide.case import build_case
from sender_service.models.decide.decide import decide
from sender_service.models.decide.decision import Enter, Refuse
from sender_service.models.decide.entry_facts import find_entries
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import begin_run
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import World
from sender_service.models.scenario.backfill import Backfill
from sender_service.models.scenario.run import Entry, Run
from shared.ids import stable_fraction
from shared.models.person_moment import PersonMoment

OVER = "over"  # the first step was due already


@dataclass(slots=True)
class Backfilled:
    """Runs that begin, and entries that were refused, by reason."""

    begun: list[Run] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


def backfill_person(
    person: Person,
    moments: Sequence[PersonMoment],
    rules: Rules,
    world: World,
    now: datetime,
    backfill: Backfill,
) -> Backfilled:
    """Return the runs of entries that the person's moments make. Repeated ones make no more."""
    found = Backfilled()
    rules = _as_if_always_on(rules)
    for entry in _entries(person, moments, rules, world, backfill):
        decision = decide(person, entry, rules, world, now, "entry")
        if isinstance(decision, Enter) and decision.due > now:
            run = begin_run(person, entry, decision.due, rules)
            run = _spread_out(run, person, rules, world, now, backfill.spread)
            person = person.with_run(run)
            found.begun.append(run)
        else:
            found.refused[decision.why if isinstance(decision, Refuse) else OVER] += 1
    return found


def _entries(
    person: Person,
    moments: Sequence[PersonMoment],
    rules: Rules,
    world: World,
    backfill: Backfill,
) -> Iterator[Entry]:
    """Yield entries within the time of the backfill: what came since it was begun enters live."""
    for moment in moments:
        for entry in find_entries(rules.own.entry, moment, person.profile, world):
            if backfill.since <= entry.at <= backfill.until:
                yield entry


def _as_if_always_on(rules: Rules) -> Rules:
    present = rules.present
    return rules if present is None else replace(rules, present=replace(present, off=()))


def _spread_out(
    run: Run, person: Person, rules: Rules, world: World, now: datetime, spread: timedelta
) -> Run:
    """Return the run, looked at no earlier than her share of the spread: a crowd isn't due at once."""
    case = build_case(person, run, rules, world, now, "wake")
    # The half of what it may be late, so that a waker with much to do comes in time.
    latest = case.in_time_until - rules.max_late / 2
    share = stable_fraction("backfill", run.app, run.scenario, person.id)
    return replace(run, due=max(run.due, now + min(spread, latest - now) * share))
