"""Decision about a person whose step was fired, as a look before the push. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sender_service.models.decide.decide import decide
from sender_service.models.decide.decision import Push, Stage, why_not_applicable
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import note_items
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import World
from sender_service.models.scenario.push_look import PushLook
from sender_service.models.scenario.run import Entry, FiredStep, ItemClaim, Run

EXITED = PushLook(why_not="exited")


class FiredPush(NamedTuple):
    """Push of a step to one person; `about`: what it claims, at release.

    `entry`: of the clock, which pushes without a run where nothing needs one later.
    """

    firing: str
    step: str
    about: tuple[ItemClaim, ...] = ()
    entry: Entry | None = None


def decide_fired(
    person: Person, push: FiredPush, rules: Rules, world: World, now: datetime, stage: Stage
) -> PushLook:
    """Return whether the push goes to the person."""
    run: Run | Entry | None = fired_run(person, push.firing)
    if run is None and not rules.own.remembers_pushes:
        run = push.entry
    if run is None:  # erased, or given back
        return EXITED
    if isinstance(run, Run):  # one that planning begins anew may choose its own items again
        person = person.with_run(note_items(run, push.firing, ()))
    fired = FiredStep(run=run, step=push.step, about=push.about)
    decision = decide(person, fired, rules, world, now, stage)
    if isinstance(decision, Push):
        return PushLook(about=decision.about, variables=decision.variables)
    return PushLook(why_not=why_not_applicable(decision))


def fired_run(person: Person, firing: str) -> Run | None:
    """Return the run that the firing pushes: of several of merged persons one that waits, if any."""
    runs = [run for run in person.runs if any(push.firing == firing for push in run.pushes)]
    return max(runs, key=lambda run: (run.ended is None, run.entry.at, run.id), default=None)
