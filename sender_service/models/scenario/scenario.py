"""Scenario as stored: one version of it, read often and never changed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Literal

from sender_service.models.scenario.entry_rules import EntryRule, Zone
from sender_service.models.segment import Condition
from sender_service.models.segment_values import Range
from shared.ids import stable_fraction

Exit = Literal["bought", "emptied", "clicked"]
WaitFrom = Literal["entry", "previous", "silence"]
AgainFrom = Literal["push", "entry"]
ItemSource = Literal[
    "entry", "viewed", "basket", "bought", "alsoBought", "bestSellers", "hotDeals", "newIn"
]
NoItem = Literal["skip", "without"]  # where nothing can be chosen: no push, or one without an item
MINUTE = timedelta(minutes=1)
MAX_OFF_INTERVALS = 50
MAX_WAIT = timedelta(days=90)  # of all steps together, as they are written
SPREAD_SLOTS = 12
# Between two pushes of one run: a step that is due earlier waits. No rule of what may be written.
MIN_PUSH_GAP = timedelta(minutes=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """Wait of a length, from the entry, the step before, or the person's last sign of life."""

    length: timedelta
    of: WaitFrom


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Wait for the first such local time so many days after the step before, or the entry."""

    time: time
    days: int
    zone: Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """Filter of the items to choose from, by the catalogue."""

    price: Range | None = None
    discount_percent: Range | None = None
    brand: tuple[str, ...] = ()  # any, where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose:
    """Choice of items for a push. `within`: categories, or where they come from; None: all."""

    source: ItemSource
    within: Literal["entry", "lastCategory"] | tuple[str, ...] | None = None
    where: ItemFilter | None = None
    take: int = 1
    otherwise: Choose | NoItem = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Step of a scenario: a wait, then a push of a campaign, unless `only` isn't fulfilled."""

    id: str
    campaign: str
    wait: After | At
    only: Condition | None = None
    choose: Choose | None = None

    @property
    def awaits_silence(self) -> bool:
        """Return whether it comes so long after the person was last seen."""
        return isinstance(self.wait, After) and self.wait.of == "silence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Time from a run's last push, or its entry, to the person's next entry."""

    length: timedelta
    since: AgainFrom


@dataclass(frozen=True, slots=True, kw_only=True)
class OffInterval:
    """Interval in which a scenario was off. `start` None: ever before; `end` None: still off."""

    start: datetime | None
    end: datetime | None

    def contains(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (
            self.end is None or moment < self.end
        )


NEVER_ON = (OffInterval(start=None, end=None),)  # of a scenario that isn't there yet


def switch(off: tuple[OffInterval, ...], now: datetime, *, is_on: bool) -> tuple[OffInterval, ...]:
    """Return the intervals after a scenario was put, on or off.

    Only the last MAX_OFF_INTERVALS are kept: what was before them counts as off.
    """
    last = off[-1] if off else None
    is_open = last is not None and last.end is None
    if is_on and last is not None and is_open:
        return (*off[:-1], replace(last, end=max(now, last.start or now)))
    if is_on or is_open:
        return off
    # A clock that was put back doesn't open what comes before the last one's end.
    start = now if last is None or last.end is None else max(now, last.end)
    kept = (*off, OffInterval(start=start, end=None))[-MAX_OFF_INTERVALS:]
    return kept if len(kept) > len(off) else (replace(kept[0], start=None), *kept[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Version of a scenario. `off` is the present one's; until its creation it was off.

    `timed_since`: since when its clock goes so, None: ever.
    """

    app: str
    id: str
    version: int
    name: str
    enabled: bool
    priority: int
    entry: EntryRule
    condition: Condition | None  # `if`: of entry
    steps: tuple[Step, ...]
    until: tuple[Exit, ...]
    again: Again
    max_late: timedelta
    spread: timedelta
    off: tuple[OffInterval, ...] = ()
    timed_since: datetime | None = None

    @property
    def pushes_at_once(self) -> bool:
        """Return whether the first step waits for nothing but the spread."""
        wait = self.steps[0].wait
        return isinstance(wait, After) and not wait.length

    @property
    def remembers_pushes(self) -> bool:
        """Return whether a push is needed later: by `again`, or by a further step."""
        return bool(self.again.length) or len(self.steps) > 1

    def is_timed_as(self, other: Scenario) -> bool:
        """Return whether both enter people by the same clock, and spread them alike."""
        return (self.entry, self.spread, self.steps[0].wait) == (
            other.entry, other.spread, other.steps[0].wait,
        )  # fmt: skip

    def spread_slot(self, person: str) -> int:
        """Return her stable slot of the spread, of SPREAD_SLOTS."""
        return int(stable_fraction("spread", self.app, self.id, person) * SPREAD_SLOTS)

    def was_off_at(self, moment: datetime) -> bool:
        """Return whether what fell due or came in then is never made up for."""
        return any(interval.contains(moment) for interval in self.off)

    def step(self, id: str) -> Step | None:
        return next((step for step in self.steps if step.id == id), None)
