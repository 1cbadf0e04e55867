"""Reaction to moments of a person: the runs that they end, and those that they begin. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.decide import decide
from sender_service.models.decide.decision import Enter, Refuse, RefuseReason
from sender_service.models.decide.entry_facts import find_entries
from sender_service.models.decide.exits import find_exit
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import begin_run, end_run
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import World
from sender_service.models.scenario.run import Run
from shared.models.person_moment import PersonMoment


@dataclass(slots=True)
class Reaction:
    """Runs that moments ended and began, and entries that were refused, by scenario and reason.

    `person` is as they left her.
    """

    person: Person
    ended: list[Run] = field(default_factory=list)
    begun: list[Run] = field(default_factory=list)
    refused: Counter[tuple[str, RefuseReason]] = field(default_factory=Counter)

    @property
    def is_empty(self) -> bool:
        return not self.ended and not self.begun


def react(
    person: Person,
    moments: Sequence[PersonMoment],
    rules: AppRules,
    world: World,
    now: datetime,
) -> Reaction:
    """Return what moments of a person, in their order, do to her runs. Repeated ones do nothing.

    The person was read after the moments, so she is as new as the last of them.
    """
    reaction = Reaction(person)
    # Exits first: what comes after one may begin a new run.
    for ended in _find_ended(person, rules, world, now):
        reaction.ended.append(ended)
        reaction.person = reaction.person.with_run(ended)
    for moment in moments:
        for one in rules.entering():
            _enter(reaction, moment, one, world, now)
    return reaction


def _find_ended(person: Person, rules: AppRules, world: World, now: datetime) -> Iterator[Run]:
    """Yield the person's waiting runs that an exit ends."""
    for run in person.waiting_runs():
        own = rules.of_version(run.scenario, run.version)
        end = None if own is None else find_exit(person, run, own, world, now)
        if end is not None:
            yield end_run(run, end.why, end.at)


def _enter(
    reaction: Reaction, moment: PersonMoment, rules: Rules, world: World, now: datetime
) -> None:
    """Begin a run for each entry that isn't refused."""
    for entry in find_entries(rules.own.entry, moment, reaction.person.profile, world):
        decision = decide(reaction.person, entry, rules, world, now, "entry")
        if isinstance(decision, Enter):
            run = begin_run(reaction.person, entry, decision.due, rules)
            reaction.begun.append(run)
            reaction.person = reaction.person.with_run(run)
        elif isinstance(decision, Refuse):
            reaction.refused[rules.own.id, decision.why] += 1
