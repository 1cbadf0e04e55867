"""Count over the people of a sample: a draft beside the present scenario. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.folded_history import FoldedHistory, why_left_out
from sender_service.models.decide.simulate import TooManyLooks, simulate
from sender_service.models.decide.tally import count_person, fields_of_today, unknown_of
from sender_service.models.scenario.history import History
from sender_service.models.scenario.simulation import Base, SimulationResult, Tally
from shared.documents.profile import Profile

TOO_MUCH = "too_much"  # of a person on whom more decisions would be made than are made of one


@dataclass(slots=True)
class SampleCount:
    """Counts of what a scenario does to people from `since` until `until`, by the draft and as it is."""

    scenario: str
    draft: AppRules
    present: AppRules
    since: datetime
    until: datetime
    of_draft: Tally = field(default_factory=Tally)
    of_present: Tally = field(default_factory=Tally)
    left_out: Counter[str] = field(default_factory=Counter)
    persons: int = 0
    known_since: datetime | None = None

    def add(self, history: History, today: Profile | None) -> None:
        """Count one person. `today`: her profile, where she has one."""
        first = history.moments[0].at
        self.known_since = min(first, self.known_since or first)
        self.persons += 1
        why = why_left_out(history, today)
        if why is not None or today is None:
            self.left_out[why or "gone"] += 1
            return
        folded = FoldedHistory(history, today)
        try:
            draft = simulate(folded, self.draft, self.until)
            present = simulate(folded, self.present, self.until)
        except TooManyLooks:
            self.left_out[TOO_MUCH] += 1
            return
        count_person(self.of_draft, draft, self.scenario, self.since)
        count_person(self.of_present, present, self.scenario, self.since)

    def result(self, share: float) -> SimulationResult:
        """Return the result. `share`: of the app's people that the sample is."""
        now = self.present.present.get(self.scenario)
        scenarios = [*self.draft.present.values(), *([] if now is None else [now])]
        base = Base(
            share=share,
            persons=self.persons,
            left_out=dict(self.left_out),
            known_since=self.known_since,
            today=fields_of_today(scenarios),
            unknown=unknown_of(scenarios),
        )
        return SimulationResult(
            base=base, draft=self.of_draft, present=None if now is None else self.of_present
        )
