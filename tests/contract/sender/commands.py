"""A command, run against an ops API that a test answers for."""

from __future__ import annotations

from typing import Any

from sender_service.__main__ import main

URL = "http://ops.test"
SEND = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"
ACCOUNT: dict[str, Any] = {
    "id": SEND, "campaign": "hello", "state": "done", "error": None, "audience": 4, "sent": 3,
    "pending": 0, "suppressed": {"unsubscribed": 1}, "failed": {}, "impressions": 2, "clicks": 1,
    "closes": 0, "people": {"sent": 3, "pending": 0, "failed": 0, "suppressed": 1, "no_player": 5},
}  # fmt: skip


def run(*arguments: str, url: str = URL) -> int:
    return main([*arguments, "--url", url])
