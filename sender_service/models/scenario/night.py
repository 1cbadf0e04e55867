"""Night in which scenarios push nobody, where neither campaign nor app has quiet hours. Pure."""

from __future__ import annotations

from shared.models.quiet_hours import QuietHours

USUAL_NIGHT = QuietHours(start="21:00", end="08:00")
