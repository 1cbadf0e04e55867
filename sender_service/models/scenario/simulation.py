"""Simulations: what a scenario would have pushed to the people of a sample. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sender_service.models.scenario.scenario import Scenario
from sender_service.models.scenario.task import Task


@dataclass(slots=True)
class Tally:
    """Counts over the people of a sample. `hours`: pushes by hour since 1970; `people`: by their pushes.

    `other_pushes` are those of the app's other scenarios, which share the gap.
    """

    entered: int = 0
    hours: Counter[int] = field(default_factory=Counter)
    people: Counter[int] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    other_pushes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Sample that a simulation counted. `share`: part of the app's people of whom histories are kept.

    `known_since`: the first moment of any. `today`: what was taken from present profiles.
    `unknown`: what histories don't show.
    """

    share: float
    persons: int
    left_out: Mapping[str, int]
    known_since: datetime | None
    today: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def counted(self) -> int:
        return self.persons - sum(self.left_out.values())

    @property
    def counted_share(self) -> float:
        """Return the part of all people that was counted; 0 where nobody was, though there are some."""
        return self.share if not self.persons else self.share * self.counted / self.persons


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationResult:
    """Result: the draft beside the present scenario. `present`: None where there is none."""

    base: Base
    draft: Tally
    present: Tally | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation(Task):
    """Simulation of an app. `draft` counts as on throughout. `done`: people who are behind."""

    draft: Scenario
    done: int = 0
    persons: int = 0
    result: SimulationResult | None = None
