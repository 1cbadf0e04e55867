"""Scenario language: the body of `PUT` for a scenario, with its bounds (docs/scenarios.md).

What needs other documents to be checked is in `requirements.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Self

from annotated_types import Ge, Le
from pydantic import Field, model_validator
from pydantic import Strict as Exactly

from sender_service.models.scenario import scenario as stored
from sender_service.models.scenario.entry_language import EntryField
from sender_service.models.scenario.entry_rules import OnBasket, OnSegment, is_of_moment
from sender_service.models.scenario.scenario import MAX_WAIT, MINUTE, After, At, Scenario
from sender_service.models.scenario.step_language import StepRequest
from sender_service.models.scenario.values import Differing, Label, Priority, YesNo, invalid
from sender_service.models.segment import BoundedSegment
from sender_service.models.segment_values import Strict
from shared.errors import FieldError

EXITS: tuple[stored.Exit, ...] = ("bought", "emptied", "clicked")
UNTIL_OF_MOMENTS: tuple[stored.Exit, ...] = ("bought",)

Exits = Annotated[list[stored.Exit], Differing]


class AgainRequest(Strict):
    """Time from a person's last push, or entry, to the next entry."""

    days: Annotated[int, Exactly(), Ge(0), Le(3650)] = 7
    since: stored.AgainFrom = Field(default="push", alias="from")


class ScenarioRequest(Strict):
    """The body of `PUT` for a scenario."""

    name: Label
    enabled: YesNo = False
    priority: Priority = 50
    enter: EntryField
    condition: BoundedSegment | None = Field(default=None, alias="if")
    steps: list[StepRequest] = Field(min_length=1, max_length=10)
    until: Exits | None = Field(
        default=None, description="by default `bought` for moments, else none"
    )
    again: AgainRequest = AgainRequest()
    max_late: Annotated[int, Exactly(), Ge(5), Le(1440)] = 120
    spread: Annotated[int, Exactly(), Ge(0), Le(720)] = 0

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if errors := list(self._errors()):
            raise invalid("scenario", errors)
        return self

    def _errors(self) -> Iterator[FieldError]:
        """Yield what is wrong between fields."""
        scenario = self.to_scenario("", "")
        yield from _step_errors(scenario)
        if "emptied" in scenario.until and not isinstance(scenario.entry, OnBasket):
            message = "emptied ends runs that a basket began: enter.on must be basket"
            yield FieldError("until", "emptied_needs_basket", message)
        if isinstance(scenario.entry, OnSegment) and scenario.condition is None:
            message = "is required where enter.on is segment: it says who enters"
            yield FieldError("if", "segment_needs_if", message)

    def to_scenario(self, app: str, id: str, version: int = 0) -> Scenario:
        """Return the scenario with its defaults, as it is stored."""
        entry = self.enter.rule()
        default = UNTIL_OF_MOMENTS if is_of_moment(entry) else ()
        until = default if self.until is None else self.until
        return Scenario(
            app=app,
            id=id,
            version=version,
            name=self.name,
            enabled=self.enabled,
            priority=self.priority,
            entry=entry,
            condition=self.condition,
            steps=tuple(step.step(is_first=not n) for n, step in enumerate(self.steps)),
            until=tuple(one for one in EXITS if one in until),
            again=stored.Again(length=timedelta(days=self.again.days), since=self.again.since),
            max_late=self.max_late * MINUTE,
            spread=self.spread * MINUTE,
        )


def _step_errors(scenario: Scenario) -> Iterator[FieldError]:
    seen: set[str] = set()
    for n, step in enumerate(scenario.steps):
        if step.id in seen:
            yield FieldError(f"steps.{n}.id", "repeated", "is the id of another step too")
        seen.add(step.id)
        of = step.wait.of if isinstance(step.wait, After) else None
        if of == "previous" and n == 0:
            message = "the first step has none before it: write entry or silence"
            yield FieldError("steps.0.after.of", "no_previous", message)
        if of == "silence" and not is_of_moment(scenario.entry):
            message = "silence follows what a person does: enter.on must be a moment, as basket"
            yield FieldError(f"steps.{n}.after.of", "silence_needs_moment", message)
    if (together := length_of(scenario)) > MAX_WAIT:
        days = -(-together // timedelta(days=1))
        message = f"they wait {days} days together: at most {MAX_WAIT.days}"
        yield FieldError("steps", "steps_too_long", message)


def length_of(scenario: Scenario) -> timedelta:
    """Return the time from the entry to the last step, where nothing holds it up."""
    longest = due = timedelta()
    for step in scenario.steps:
        match step.wait:
            case At(days=days):
                due += timedelta(days=days)
            case After(length=length, of="entry"):
                due = length
            case After(length=length):
                due += length
        longest = max(longest, due)
    return longest
