"""Rules that apply to a run: its own version, the present one, and what the app says. Pure.

What only stops counts by either version. All else is of the run's own: an edit gives nobody more than
the version by which she entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sender_service.models.scenario.scenario import Exit, Scenario
from sender_service.models.segment import Condition
from shared.models.quiet_hours import QuietHours, zone_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Rules of a run; `present` is None once the scenario is deleted.

    `gap`: between two scenario pushes to a person. `night`: the app's quiet hours, None where it has
    none; `nights`: those of campaigns with their own.
    """

    own: Scenario
    present: Scenario | None
    gap: timedelta
    night: QuietHours | None
    zone: str | None = None
    nights: Mapping[str, QuietHours | None] = field(default_factory=dict)

    @property
    def until(self) -> frozenset[Exit]:
        present = self.present
        return frozenset(self.own.until) | frozenset(() if present is None else present.until)

    @property
    def max_late(self) -> timedelta:
        own, present = self.own, self.present
        return own.max_late if present is None else min(own.max_late, present.max_late)

    @property
    def needs_knowledge(self) -> bool:
        """Return whether what people did lately may forbid a push: by an exit, a condition, a choice,
        a silence.
        """
        versions = [version for version in (self.own, self.present) if version is not None]
        steps = [step for version in versions for step in version.steps]
        asks = any(step.only or step.choose for step in steps)
        # Waits are those of the run's own version.
        return bool(self.until) or asks or any(step.awaits_silence for step in self.own.steps)

    def only(self, step: str) -> list[Condition]:
        """Return the conditions that the step has in either version."""
        versions = [self.own] if self.present in (None, self.own) else [self.own, self.present]
        steps = [version.step(step) for version in versions if version is not None]
        return [one.only for one in steps if one is not None and one.only is not None]

    def zone_of(self, named: str | None) -> str:
        """Return a person's zone, else the app's."""
        return zone_for(named, self.zone)

    def night_end(self, campaign: str, zone: str | None, moment: datetime) -> datetime | None:
        """Return the end of the quiet hours that contain the moment; None outside them."""
        night = self.nights.get(campaign, self.night)
        return None if night is None else night.until(moment, self.zone_of(zone))

    def next_night(self, campaign: str, zone: str | None, moment: datetime) -> datetime | None:
        """Return the begin of the next quiet hours after the moment; None where there are none."""
        night = self.nights.get(campaign, self.night)
        return None if night is None else night.next_start(moment, self.zone_of(zone))
