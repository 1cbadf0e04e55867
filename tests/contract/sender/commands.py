"""A command, run against an ops API that a test answers for."""

from __future__ import annotations

from typing import Any

from sender_service.__main__ import main
from sender_service.ops import examples

URL = "http://ops.test"
SEND = examples.SEND_ID
AT = examples.AT
ACCOUNT: dict[str, Any] = {
    **examples.SEND, "campaign": "hello", "state": "done", "waiting": [], "forecast": None,
    "audience": 4, "sent": 3, "pending": 0, "suppressed": {"unsubscribed": 1}, "failed": {},
    "notApplicable": {},
    "impressions": 2, "clicks": 1, "closes": 0, "malformed": [],
    "people": {
        "sent": 3, "pending": 0, "failed": 0, "suppressed": 1, "no_player": 5, "malformed": 0
    },
}  # fmt: skip


def run(*arguments: str, url: str = URL) -> int:
    return main([*arguments, "--url", url])
