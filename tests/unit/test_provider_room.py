"""Tests that OneSignal's name stays in its room: it is nowhere outside of the places that are its own."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORD = re.compile(r"one_?signal", re.IGNORECASE)
# The room itself, its line in the registry, an app's own fields, settings, types of events. The
# commands of apps set up a shop's OneSignal app and pages.
ALLOWED = (
    "sender_service/providers/onesignal/", "sender_service/providers/registry.py",
    "sender_service/ops/app", "sender_service/ops/responses/apps.py", "sender_service/cli/apps.py",
    "sender_service/cli/app_create.py", "sender_service/cli/app_page_code.py",
    "sender_service/cli/app_sdk.py",
    "sender_service/models/app_keys.py", "shared/models/app.py", "shared/models/event.py",
    "shared/events/", "shared/providers.py", "shared/settings.py",
)  # fmt: skip


def test_the_word_stays_in_its_room() -> None:
    found = {}
    for service in ("sender_service", "shared"):
        for path in (ROOT / service).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            lines = sum(map(bool, map(WORD.search, path.read_text().splitlines())))
            if lines and not name.startswith(ALLOWED):
                found[name] = lines
    assert found == {}
