"""Knowledge of people: whether what is known of them may be too old to push by."""

from __future__ import annotations

from datetime import datetime


class Knowledge:
    async def why_old(self, now: datetime) -> str | None:
        """Return why an exit may be missing in what is known; None: it isn't."""
        return None
