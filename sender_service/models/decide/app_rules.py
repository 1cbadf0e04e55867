"""Rules of an app's scenarios, as they were read at one moment. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sender_service.models.decide.rules import Rules
from sender_service.models.scenario.entry_rules import is_of_moment
from sender_service.models.scenario.scenario import Scenario
from shared.models.quiet_hours import QuietHours

Version = tuple[str, int]  # scenario, and number


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRules:
    """Rules of an app. `present`: scenarios by id, without deleted ones; `own`: versions of runs.

    `night`: the app's quiet hours, None where it has none; `nights`: those of campaigns.
    """

    app: str
    gap: timedelta
    night: QuietHours | None
    present: Mapping[str, Scenario] = field(default_factory=dict)
    own: Mapping[Version, Scenario] = field(default_factory=dict)
    zone: str | None = None
    nights: Mapping[str, QuietHours | None] = field(default_factory=dict)

    def version(self, scenario: str, number: int) -> Scenario | None:
        """Return this version, where it was read."""
        present = self.present.get(scenario)
        is_present = present is not None and present.version == number
        return present if is_present else self.own.get((scenario, number))

    def of_version(self, scenario: str, number: int) -> Rules | None:
        """Return the rules of runs that entered under this version; None where it wasn't read."""
        own = self.version(scenario, number)
        return None if own is None else self._rules(own)

    def entering(self) -> list[Rules]:
        """Return the rules of the scenarios that moments enter now."""
        return [
            self._rules(one)
            for one in self.present.values()
            if one.enabled and is_of_moment(one.entry)
        ]

    def _rules(self, own: Scenario) -> Rules:
        return Rules(
            own=own,
            present=self.present.get(own.id),
            zone=self.zone,
            gap=self.gap,
            night=self.night,
            nights=self.nights,
        )
