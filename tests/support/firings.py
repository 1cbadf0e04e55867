"""Firings as tests need them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sender_service.models.scenario.firing import Firing


def build_firing(firing: str, now: datetime, **fields: Any) -> Firing:
    """Return a claimed firing of the first step of `abandoned-basket`, made now."""
    base: dict[str, Any] = {
        "app": "demo", "scenario": "abandoned-basket", "version": 1, "step": "hour",
        "campaign": "welcome", "made_at": now, "due_at": now,
        "expires_at": now + timedelta(hours=2), "expire_at": now + timedelta(days=35),
        "state": "claimed",
    }  # fmt: skip
    return Firing(id=firing, **{**base, **fields})
