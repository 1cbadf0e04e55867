"""Quiet hours of a send: whose hours apply, and where it is night. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sender_service.models.policy import AppPolicy, Policy
from shared.models.quiet_hours import QuietHours, zone_for
from shared.priority import Priority

# In which scenarios push nobody, where neither campaign nor app has quiet hours.
USUAL_NIGHT = QuietHours(start="21:00", end="08:00")


def hours_of(
    own: QuietHours | None, of_app: QuietHours | None, priority: Priority
) -> QuietHours | None:
    """Return the campaign's own hours, else the app's, else a scenario's; None where none apply."""
    usual = USUAL_NIGHT if priority == "triggered" else None
    hours = None if priority == "transactional" else own or of_app or usual
    return None if hours is None or hours.is_empty else hours


@dataclass(frozen=True, slots=True)
class SendQuietHours:
    """Quiet hours of one send. `of_app`: the time zone of people whose own isn't known."""

    hours: QuietHours
    of_app: str | None

    @classmethod
    def of(cls, policy: Policy, of_app: AppPolicy, priority: Priority) -> SendQuietHours | None:
        """Return the quiet hours that apply to a send of this priority; None where none do."""
        hours = hours_of(policy.quiet_hours, of_app.quiet_hours, priority)
        return None if hours is None else cls(hours, of_app.time_zone)

    def zone_of(self, named: str | None) -> str:
        """Return the time zone of a person's nights."""
        return zone_for(named, self.of_app)

    def until(self, now: datetime, zone: str) -> datetime | None:
        """Return when the night ends there; None by day."""
        return self.hours.until(now, self.zone_of(zone))

    def next_start(self, now: datetime, zone: str) -> datetime | None:
        """Return when the next night begins there."""
        return self.hours.next_start(now, self.zone_of(zone))
