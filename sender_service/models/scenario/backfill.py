"""Backfills: entries to a scenario of what people did before it was on. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sender_service.models.scenario.task import Task

MAX_BACK = timedelta(days=7)  # as long the log keeps moments
MIN_SPREAD, MAX_SPREAD = 60, 720  # minutes


@dataclass(frozen=True, slots=True)
class BackfillCounts:
    """Counts of a backfill. `moments`: those with a fact that may enter. `refused`: entries by reason."""

    moments: int = 0
    entered: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)

    def plus(self, moments: int, entered: int, refused: Mapping[str, int]) -> BackfillCounts:
        sum_of = Counter(self.refused) + Counter(refused)
        return BackfillCounts(self.moments + moments, self.entered + entered, dict(sum_of))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill(Task):
    """Backfill of an app's scenario, as of a version: entries from `since` until `until`.

    `spread`: as long from the look at a moment the first steps are spread. `reached`: whoever takes it
    over reads the log from there. `known_since`: where the log begins later than `since`.
    """

    scenario: str
    version: int
    spread: timedelta
    reached: datetime | None = None
    known_since: datetime | None = None
    counts: BackfillCounts = field(default_factory=BackfillCounts)
