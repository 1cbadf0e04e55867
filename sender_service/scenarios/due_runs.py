"""Due runs of apps: their ids are read once, and looked at some at a time.

Some engines read all that match for the first few: a crowd is read once, not once for each 500.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sender_service.models.decide.app_rules import Version
from sender_service.models.scenario.run import DueRun, scenario_of
from sender_service.store.runs import DUE_AT_ONCE, DUE_IDS_AT_ONCE, RunStore
from shared import metrics


@dataclass(slots=True)
class DueRuns:
    """Due runs of each app that this process wakes and didn't look at yet, the longest due last.

    Methods raise StoreUnavailable. `limit`: of ids that are read at a time.
    """

    runs: RunStore
    limit: int = DUE_IDS_AT_ONCE
    _left: dict[str, list[DueRun]] = field(default_factory=dict, init=False)
    _cut: set[str] = field(default_factory=set, init=False)  # apps that may have more than was read
    _passed: dict[str, set[Version]] = field(default_factory=dict, init=False)  # over, as they rest

    async def find(self, app: str, now: datetime) -> bool:
        """Return whether a run is due."""
        if not self._left.get(app):
            self._passed[app] = set()
            await self._read(app, now)
        left = self._left[app]
        metrics.RUNS_DUE.labels(app).set(len(left))
        if not left:
            metrics.RUNS_OLDEST_DUE.labels(app).set(0)
        return bool(left)

    def has(self, app: str) -> bool:
        """Return whether some of those that were found are left."""
        return bool(self._left.get(app))

    def forget(self, app: str) -> None:
        """Forget what was found due, since another process wakes the app's runs."""
        self._left.pop(app, None)

    def take(self, app: str) -> set[str]:
        """Return the ids of some of those that are due the longest; they are left no more."""
        left = self._left.get(app, [])
        return {left.pop().id for _ in range(min(len(left), DUE_AT_ONCE))}

    async def pass_over(self, app: str, resting: Collection[Version], now: datetime) -> None:
        """Leave out runs of versions that rest; where nothing else was read, read what is behind them."""
        passed = self._passed[app] = self._passed[app] | {*resting}
        self._left[app] = [run for run in self._left[app] if _version_of(run) not in passed]
        if not self._left[app] and app in self._cut:
            await self._read(app, now)

    async def _read(self, app: str, now: datetime) -> None:
        found = await self.runs.due(app, now, self.limit, without=self._passed[app])
        self._left[app] = found[::-1]
        (self._cut.add if len(found) >= self.limit else self._cut.discard)(app)


def _version_of(run: DueRun) -> Version:
    return scenario_of(run.id), run.version
