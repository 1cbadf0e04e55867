"""Look at a person whom the clock enters, when its firing's send is planned. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sender_service.models.decide.decide import decide
from sender_service.models.decide.decision import Decision, Enter, Push, Refuse, Skip
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import begin_run, end_run, note_items, proceed, push_run
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import World
from sender_service.models.scenario.push_look import PushLook
from sender_service.models.scenario.run import Entry, Run

ENTERED = "entered"  # her first step waits


def look_at_entry(
    person: Person, entry: Entry, rules: Rules, world: World, now: datetime
) -> PushLook:
    """Return whether the push goes to her, why she isn't in the audience, and the run to begin.

    `entry.event` is the firing. A planner that resumes finds the runs that were begun before, and begins
    none twice; those that were pushed are looked at as any that were fired.
    """
    begun = next((run for run in person.runs if run.entry.event == entry.event), None)
    if begun is not None:
        return PushLook(refused=begun.skipped[0].why if begun.skipped else ENTERED)
    decision = decide(person, entry, rules, world, now, "planning")
    match decision:
        case Push():
            run = (
                _pushed(person, decision, entry, rules, now) if rules.own.remembers_pushes else None
            )
            return PushLook(about=decision.about, variables=decision.variables, run=run)
        case Enter():
            return PushLook(refused=ENTERED, run=begin_run(person, entry, decision.due, rules))
        case Skip():
            return PushLook(refused=decision.why, run=_skipped(person, decision, entry, rules, now))
        case _:
            return PushLook(refused=_why(decision))


def _why(decision: Decision) -> str:
    return decision.why if isinstance(decision, Refuse) else type(decision).__name__.lower()


def _pushed(person: Person, decision: Push, entry: Entry, rules: Rules, now: datetime) -> Run:
    """Return the run of a person whose first step is pushed; over, where it is the last."""
    pushed = push_run(begin_run(person, entry, entry.at, rules), entry.event, rules.own, now)
    run = note_items(pushed, entry.event, tuple(claim.item for claim in decision.about))
    return run if run.step is not None else end_run(run, "done", now)


def _skipped(
    person: Person, decision: Skip, entry: Entry, rules: Rules, now: datetime
) -> Run | None:
    """Return the run that goes on behind a skipped first step, or that `again` needs."""
    own = rules.own
    is_needed = len(own.steps) > 1 or (own.again.since == "entry" and bool(own.again.length))
    if not is_needed:
        return None
    begun = begin_run(person, entry, entry.at, rules)
    run = proceed(begun, replace(decision, basis=entry.at), person, rules, now)
    return run if run.step is not None else end_run(run, "done", now)
