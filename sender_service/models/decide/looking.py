"""Look at a person's waiting runs now, as the waker's would be. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.decide import decide, decide_together
from sender_service.models.decide.decision import Decision, End
from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.run import Run


def decide_waiting(
    person: Person, rules: AppRules, now: datetime
) -> Iterator[tuple[Run, Decision]]:
    """Yield decisions on all her waiting runs, of all scenarios: those that are due compete."""
    due: list[tuple[Run, Rules]] = []
    for run in (one for one in person.runs if one.ended is None):
        own = rules.of_version(run.scenario, run.version)
        if own is None:
            yield run, End("deleted")
        elif run.due <= now:
            due.append((run, own))
        else:
            yield run, decide(person, run, own, EMPTY_WORLD, now, "wake")
    yield from decide_together(person, due, EMPTY_WORLD, now)
