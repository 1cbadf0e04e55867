"""Runs of one person that are due together: the one of the highest priority goes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sender_service.models.decide.decide import decide
from sender_service.models.decide.decision import Decision, Push
from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import World
from sender_service.models.scenario.run import Run


def decide_together(
    person: Person, due: Iterable[tuple[Run, Rules]], world: World, now: datetime
) -> list[tuple[Run, Decision]]:
    """Decide on a person's due runs, by priority; after a push the others keep the gap to it."""
    decisions: list[tuple[Run, Decision]] = []
    for run, rules in sorted(due, key=_rank):
        decision = decide(person, run, rules, world, now, "wake")
        decisions.append((run, decision))
        if isinstance(decision, Push):
            person = person.with_push(now)
    return decisions


def _rank(one: tuple[Run, Rules]) -> tuple[int, datetime, str]:
    run, rules = one
    return -rules.own.priority, run.due, run.id
