"""Bodies with a scenario: their size, and what an answer has beside it."""

from __future__ import annotations

from fastapi import Request

from sender_service.models.scenario.values import MAX_SCENARIO_BYTES
from shared.errors import TooLarge

SCENARIO_READ_ONLY = frozenset({"id", "app", "version", "off"})  # `PUT` ignores them


async def check_size(request: Request) -> None:
    """Check the body's length. Raises TooLarge."""
    if len(await request.body()) > MAX_SCENARIO_BYTES:
        raise TooLarge(f"a scenario has at most {MAX_SCENARIO_BYTES // 1024} KiB")


def without_read_only(value: object) -> object:
    """Return a scenario within a body without what only an answer has."""
    if not isinstance(value, dict):
        return value
    return {key: one for key, one in value.items() if key not in SCENARIO_READ_ONLY}
