"""Sends as tests need them: whole, with the fields that matter given by attribute."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sender_service.models.send import NEVER, Send


def build_send(send: str, now: datetime, **fields: Any) -> Send:
    """Return a planned send without pages, created now."""
    base: dict[str, Any] = {
        "app": "demo", "campaign": "welcome", "priority": "marketing", "digest": "", "parts": None,
        "trigger": {}, "state": "sending", "paused": False, "error": None, "malformed": {},
        "warnings": [], "campaign_snapshot": None, "created_at": now, "due_at": now,
        "expires_at": now + timedelta(hours=24), "plan_due": NEVER, "planner": None, "begun": 0,
        "pages_at_begin": 0, "looks": 0, "pages": 0, "totals": None, "closed_at": None,
        "expire_at": now + timedelta(days=35), "sealed": False, "rolled_up": False,
    }  # fmt: skip
    return Send(id=send, **{**base, **fields})
